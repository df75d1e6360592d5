import type { Log, TopicPartition } from '../../src/runtime/ports/log.js';
import { taskOf } from './task-of.js';

export interface Changelog {
  /** Records that were counted. */
  readonly records: number;
  /** Keys whose state they changed, one for each key and record. */
  readonly changes: number;
  /** Of the keys and states, each whole as it was after the record; keys that were deleted count their key. */
  readonly bytes: number;
}

/**
 * What a changelog of every state change would hold: runs the records of one partition again, here, one at a time, and after each asks
 * for the keys that changed and for their bytes, as they would be stored. The first `warm` records are run, but not counted.
 * Rules of another key than the topic's are left out.
 */
export async function fullChangelog(
  config: string,
  log: Log,
  partition: TopicPartition,
  range: { readonly warm: number; readonly count: number },
): Promise<Changelog> {
  const task = await taskOf(config, partition);
  const end = range.warm + range.count;
  const { signal } = new AbortController();
  let [records, changes, bytes, seen] = [0, 0, 0, 0];
  for await (const batch of log.read(partition, 0)) {
    for (const record of batch.records) {
      if (seen === end) return { records, changes, bytes };
      const one = { ...batch, records: [record], nextOffset: record.offset + 1 };
      await task.process(one, signal);
      const { puts, deletes } = await task.snapshot().encode(async () => undefined);
      if (++seen <= range.warm) continue;
      records++;
      changes += puts.length + deletes.length;
      for (const { key, value } of puts) bytes += key.length + value.length;
      for (const key of deletes) bytes += key.length;
    }
  }
  return { records, changes, bytes };
}
