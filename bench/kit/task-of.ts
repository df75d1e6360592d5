import { systemClock } from '../../src/connectors/system-clock.js';
import { NO_LISTS } from '../../src/runtime/lists/reference-lists.js';
import type { TopicPartition } from '../../src/runtime/ports/log.js';
import { loadSettings } from '../../src/runtime/settings/index.js';
import { Task, type TaskOutput } from '../../src/runtime/task/task.js';
import { ruleSetsOf } from '../../src/service/compose/rules/rule-set.js';
import { loadRunningRules } from '../../src/service/compose/rules/running-rules.js';
import { makeStreams, ruleStreamsOf } from '../../src/service/compose/streams/stream-parts.js';

const NOTHING: TaskOutput = {
  onAlert: () => undefined,
  onDeadLetter: () => undefined,
  onLate: () => undefined,
  onMatch: () => undefined,
  onRunsDropped: () => undefined,
  onMatchesDropped: () => undefined,
};

/** A task without a lane, with the rules and the stream of a settings file. Rules of another key than the topic's are left out. */
export async function taskOf(config: string, partition: TopicPartition): Promise<Task> {
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
