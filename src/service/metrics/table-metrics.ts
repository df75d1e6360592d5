import type { Readings } from './readings.js';
import type { MetricsSources } from './sources.js';

const LABELS = ['stream'] as const;

/** Of tables that are fed into the topics of their streams. */
export function addTableMetrics(readings: Readings, { tables }: MetricsSources): void {
  readings.gauges('stakeout_table_rows', 'Rows of a table that are in the topic of its stream', LABELS, () =>
    tables().map(({ stream, rows }) => [{ stream }, rows] as const),
  );
  readings.gauges(
    'stakeout_table_in_trouble',
    '1: the table of a stream cannot be read on at present, as the process that reads it says',
    LABELS,
    () => tables().map(({ stream, trouble }) => [{ stream }, trouble === null ? 0 : 1] as const),
  );
}
