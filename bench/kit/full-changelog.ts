import { systemClock } from '../../src/connectors/system-clock.js';
import { NO_LISTS } from '../../src/runtime/lists/reference-lists.js';
import type { Log, TopicPartition } from '../../src/runtime/ports/log.js';
import { loadSettings } from '../../src/runtime/settings/index.js';
import { Task, type TaskOutput } from '../../src/runtime/task/task.js';
import { ruleSetsOf } from '../../src/service/compose/rule-set.js';
import { loadRunningRules } from '../../src/service/compose/rules.js';
import { makeStreams, ruleStreamsOf } from '../../src/service/compose/stream-parts.js';

export interface Changelog {
  /** Records that were counted. */
  readonly records: number;
  /** Keys whose state they changed, one for each key and record. */
  readonly changes: number;
  /** Of the keys and states, each whole as it was after the record; keys that were deleted count their key. */
  readonly bytes: number;
}

const NOTHING: TaskOutput = {
  onAlert: () => undefined,
  onDeadLetter: () => undefined,
  onLate: () => undefined,
  onMatch: () => undefined,
  onRunsDropped: () => undefined,
  onMatchesDropped: () => undefined,
};

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
  const task = await makeTask(config, partition);
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

async function makeTask(config: string, partition: TopicPartition): Promise<Task> {
  const loaded = loadSettings({ env: {}, overrides: {}, file: config });
  if (!('settings' in loaded)) throw new Error(JSON.stringify(loaded.errors));
  const { settings } = loaded;
  const streams = makeStreams({
    ...{ settings, clock: systemClock },
    onTrouble: () => undefined,
    onRecovered: () => undefined,
  });
  const { sources } = await loadRunningRules(settings.patterns, ruleStreamsOf(streams), NO_LISTS.known);
  const ruleSet = ruleSetsOf(sources, settings, streams, NO_LISTS).source;
  const task = new Task({ partition, stream: streams[0].definition, ruleSet, clock: systemClock, output: NOTHING });
  task.beginAt(0);
  task.goLive();
  return task;
}
