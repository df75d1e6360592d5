import { join } from 'node:path';
import { openSpillFile } from '../../connectors/file/spill-file.js';
import type { DetectorListener } from '../../runtime/detector.js';
import { SpillSpace } from '../../runtime/keys/windows/spill-space.js';
import type { SpillOptions } from '../../runtime/keys/windows/window-spill.js';
import { Lane } from '../../runtime/lane/lane.js';
import { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, TopicSpec } from '../../runtime/ports/log.js';
import type { StateStore } from '../../runtime/ports/state-store.js';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import { AlertTopicCodec } from '../compose/alert-topic-codec.js';
import { listBook } from '../compose/lists/list-book.js';
import { pseudonymsOf } from '../compose/pseudonyms.js';
import { CompiledRules } from '../compose/rules/compiled-rules.js';
import { ruleSetReader } from '../compose/rules/rule-set.js';
import type { RuleSource } from '../compose/rules/running-rules.js';
import { makeRegistry, makeStreams } from '../compose/streams/stream-parts.js';
import { streamsAsTheyWere } from '../sources/streams-before.js';

/** What one lane is made of, in whatever thread it runs. Settings and rules are plain data. */
export interface LaneParts {
  readonly settings: Settings;
  /** 0, 1, …: which of the lanes of this process it is. */
  readonly number: number;
  /** The rules that run here, checked already. */
  readonly sources: readonly RuleSource[];
  /** The lists that they ask, as plain data. */
  readonly lists: ReferenceLists['data'];
  /** Names of streams that are not read. */
  readonly paused?: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly store: StateStore;
  readonly listener: DetectorListener;
  /** What happens, in words, for the service's log. */
  readonly report: (text: string) => void;
  /** The same, for trouble that passes by itself. */
  readonly warn: (text: string, trouble: Error) => void;
}

/**
 * One lane with decoders, a registry client and compiled rules of its own; not started. Throws `AvroSchemaError` or
 * `RuleSetError` when the stream's schema file, or a rule for it, does not hold any more.
 */
export function makeLane(parts: LaneParts): Lane {
  const { settings, clock, log, store, listener, report, warn } = parts;
  const context = {
    ...{ settings, clock },
    onTrouble: (error: Error) => warn('the schema registry does not answer; waiting for it', error),
    onRecovered: () => report('the schema registry answers again'),
  };
  const streams = makeStreams(context);
  const [stream, ...others] = streams;
  const { partitions, topics } = stream.settings;
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const rules = new CompiledRules(settings, streams, new ReferenceLists(parts.lists));
  const ruleSets = rules.compile(parts.sources);
  const book = listBook(settings, log, clock);
  return new Lane({
    ...{ log, store, clock, listener, report },
    stream: stream.definition,
    group: {
      ...{ groupId: settings.kafka.groupId, topics: topics!, start: settings.start },
      ...(settings.http.advertise === undefined ? {} : { endpoint: settings.http.advertise }),
    },
    ruleSet: ruleSets.source,
    routes: ruleSets.routes,
    needsOnePartition: ruleSets.needsOnePartition,
    others: others.map(({ definition, settings: own }) => ({
      ...{ definition, topics: own.topics!, source: sourceOf(own) },
      ruleSet: ruleSets.others.get(own.name)!,
    })),
    pausedStreams: parts.paused ?? [],
    compileRules: (sources) => rules.compileAhead(sources, turn),
    withLists: (lists) => rules.withLists(new ReferenceLists(lists)),
    readRuleSet: ruleSetReader({
      ...{ streams, today: () => rules.lists, current: () => rules.versions, ...streamsAsTheyWere(context) },
      asOf: (digests, today) => book.asOf(digests, today),
    }),
    pseudonyms: pseudonymsOf(
      settings,
      streams.map(({ avro }) => avro),
    ),
    encoder: new AlertTopicCodec(makeRegistry(settings), settings.alerts.topic),
    source: sourceOf(stream.settings),
    alerts: { name: settings.alerts.topic, partitions: settings.alerts.partitions },
    shadowAlerts: { name: settings.alerts.shadowTopic, partitions: settings.alerts.partitions },
    nearMisses: { name: settings.nearMisses.topic, partitions: settings.alerts.partitions },
    deadLetters: { name: settings.deadLetters.topic, partitions: 1 },
    late: { name: settings.late.topic, partitions: 1 },
    journal: { name: settings.journal.topic, partitions },
    delivery: settings.delivery,
    ...transactionsOf(parts),
    commitIntervalMs: settings.commit.interval,
    commitRecords: settings.commit.records,
    snapshotIntervalMs: settings.snapshot.interval,
    snapshotBytes: settings.snapshot.bytes,
    hotKeysMax: settings.engine.hotKeysMax,
    ...spillOf(parts),
    stopwatch: () => performance.now() / 1000,
    turn,
  });
}

/** Where windows of features go that have no room in memory. */
function spillOf({ settings, number, warn }: LaneParts): { spill?: SpillOptions } {
  const bytesMax = settings.engine.windowsMemory;
  if (bytesMax === undefined) return {};
  const folder = join(settings.data.directory, 'spill');
  const space = new SpillSpace(
    () => openSpillFile(folder, `lane-${number}`),
    (error) => warn('windows of features cannot leave memory: it may take more than engine.windowsMemory', error),
  );
  return { spill: { space, memory: { bytesMax, used: 0 } } };
}

/** The topic that is made if it is not there; `null`: topics are found by their names. */
const sourceOf = ({ topic, partitions }: StreamSettings): TopicSpec | null =>
  topic === undefined ? null : { name: topic, partitions };

/** Each lane has transactions of its own. */
function transactionsOf({ settings, number }: LaneParts): { transactionalId?: string } {
  const id = settings.kafka.transactionalId;
  return id === undefined ? {} : { transactionalId: `${id}-${number}` };
}
