import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Alert } from '../../runtime/ports/alert.js';

/** A column: its name, its Parquet type, and what it has of an alert. */
type Column = readonly [name: string, type: 'STRING' | 'DOUBLE' | 'TIMESTAMP', of: (alert: Alert) => unknown];

const date = (ms: number): Date => new Date(ms);

/** Names as in the tables of SQL sinks. What rules may make of any form is JSON in text, which every reader can take. */
const columns: readonly Column[] = [
  ['id', 'STRING', ({ id }) => id],
  ['pattern_id', 'STRING', ({ patternId }) => patternId],
  ['title', 'STRING', ({ title }) => title],
  ['revision', 'STRING', ({ revision }) => revision],
  ['severity', 'STRING', ({ severity }) => severity],
  ['score', 'DOUBLE', ({ score }) => score],
  ['key_value', 'STRING', ({ key }) => key],
  ['key_field', 'STRING', ({ keyField }) => keyField],
  ['first_event_time', 'TIMESTAMP', ({ firstEventTime }) => date(firstEventTime)],
  ['last_event_time', 'TIMESTAMP', ({ lastEventTime }) => date(lastEventTime)],
  ['detected_at', 'TIMESTAMP', ({ detectedAt }) => date(detectedAt)],
  ['message', 'STRING', ({ message }) => message],
  ['features', 'STRING', ({ features }) => (features === undefined ? null : JSON.stringify(features))],
  ['steps', 'STRING', ({ steps }) => JSON.stringify(steps)],
];

/** Alerts as a Parquet file: the same alerts give the same bytes. */
export function alertFile(alerts: readonly Alert[]): Uint8Array {
  const columnData = columns.map(([name, type, of]) => ({
    ...{ name, type, data: alerts.map(of), nullable: name === 'features' },
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 100_000, createdBy: 'stakeout' }));
}

/** The day of its detection, in UTC: `2026-01-31`. */
export function dayOf({ detectedAt }: Alert): string {
  return date(detectedAt).toISOString().slice(0, 10);
}
