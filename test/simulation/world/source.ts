import type { OutgoingRecord } from '../../../src/runtime/ports/log.js';
import type { Chance } from './chance.js';

/** A record, and when it reaches the log, in ms since the beginning. */
export interface Arrival {
  readonly atMs: number;
  readonly record: OutgoingRecord;
}

/** How the records of one seed are. */
export interface SourceOptions {
  readonly partitions: number;
  readonly records: number;
  /** When the last of them comes, about. */
  readonly durationMs: number;
}

const text = new TextEncoder();
const ACCOUNTS = ['X', 'Y', 'Z'];
const TYPES = ['a', 'b', 'c', 'd'];
const POISON_RATE = 0.03;
const LATE_RATE = 0.08;
/** Event time at the beginning, and how much earlier than its record an event may be: more than the out-of-orderness. */
const EVENT_EPOCH = 1000;
const DISORDER_MS = 14;
const LATE_MS_MAX = 120;

/** Records in order of arrival: disordered, late, poisoned; with pauses in which partitions are idle. */
export function arrivals({ partitions, records, durationMs }: SourceOptions, chance: Chance): Arrival[] {
  const pauses = Array.from({ length: chance.between(0, 2) }, () => chance.between(0, records - 1));
  const stepMs = durationMs / records;
  let atMs = 0;
  return Array.from({ length: records }, (_, i) => {
    if (pauses.includes(i)) atMs += chance.between(200, 900);
    atMs += chance.happens(0.3) ? 0 : chance.next() * 2.5 * stepMs;
    const partition = chance.between(0, partitions - 1);
    // Clocks count whole milliseconds.
    atMs = Math.floor(atMs);
    return { atMs, record: recordOf(i, partition, atMs, chance) };
  });
}

function recordOf(i: number, partition: number, atMs: number, chance: Chance): OutgoingRecord {
  const earlier = chance.happens(LATE_RATE) ? chance.between(0, LATE_MS_MAX) : chance.between(0, DISORDER_MS);
  const row: Record<string, unknown> = {
    id: `e${i}`,
    account: chance.pick(ACCOUNTS),
    device: chance.happens(0.8) ? `d${chance.between(1, 3)}` : null,
    type: chance.pick(TYPES),
    at: Math.max(0, EVENT_EPOCH + atMs - earlier),
    amount: chance.between(1, 100),
  };
  const place = { topic: 'rows', partition, key: text.encode(`${String(row.account)}`), timestamp: atMs };
  if (chance.happens(POISON_RATE)) return { ...place, value: poison(row, chance) };
  const trace = chance.happens(0.1) ? { headers: new Map([['traceparent', text.encode(`00-${i}`)]]) } : {};
  return { ...place, ...trace, value: text.encode(JSON.stringify(row)) };
}

function poison(row: Record<string, unknown>, chance: Chance): Uint8Array | null {
  const kinds = [null, '{oops', { ...row, account: '' }, { ...row, at: 'soon' }, { ...row, id: undefined }];
  const kind = chance.pick(kinds);
  return kind === null ? null : text.encode(typeof kind === 'string' ? kind : JSON.stringify(kind));
}
