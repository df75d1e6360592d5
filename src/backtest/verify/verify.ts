import { journalPartition, readJournal, START_OF_JOURNAL } from '../../runtime/journal/journal.js';
import type { ReadRuleSet, RuleSetVersion } from '../../runtime/journal/rule-set-version.js';
import { rulesAt, startOf, stretchesOf } from '../../runtime/journal/stretches.js';
import { Replayer } from '../../runtime/lane/recovery/replayer.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import { partitionOfKey } from '../../runtime/partitioner.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { type Log, partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import type { AlertDecoder } from '../../runtime/sinks/alert-sink.js';
import type { StreamDefinition } from '../../runtime/stream.js';
import { isPseudonym, type Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import { Task } from '../../runtime/task/task.js';
import { AlertDigest } from '../run/digest.js';
import { NO_CLOCK } from './no-clock.js';

export interface VerifyOptions {
  readonly log: Log;
  /** The topic whose records are replayed. */
  readonly topic: string;
  /** Alerts that were complete from `from` on and before `to`, in ms of event time. */
  readonly from: number;
  readonly to: number;
  readonly groupId: string;
  readonly journalTopic: string;
  readonly alertsTopic: string;
  /** Of rules whose alerts are kept apart; absent: there are none. */
  readonly shadowTopic?: string;
  readonly alertDecoder: AlertDecoder;
  readonly stream: StreamDefinition;
  /** All streams, of which events may have been forwarded to it. Absent: that one. */
  readonly streams?: readonly StreamDefinition[];
  /** Whether alerts of a rule, which has this key, follow from this topic; absent: all do. */
  readonly owns?: (rule: string, keyField: string) => boolean;
  /** For what the journal knows nothing of. */
  readonly current: RuleSetVersion;
  readonly readRuleSet: ReadRuleSet;
  /** What stood for personal values in the alerts; absent: the values themselves. */
  readonly pseudonyms?: Pseudonyms | undefined;
  readonly signal: AbortSignal;
  readonly report: (text: string) => void;
  /** Records replayed so far, of all. */
  readonly onProgress?: (records: number, of: number) => void;
  /** Resolves when other work of the process has had its turn. */
  readonly turn: () => Promise<void>;
}

/** An alert that is on one side alone. */
export interface Difference {
  readonly id: string;
  readonly patternId: string;
  readonly key: string;
  readonly detectedAt: number;
}

export interface Verification {
  readonly equal: boolean;
  /** Digests of the alerts that were committed, and of those that the replay finds; see `AlertDigest`. */
  readonly live: string;
  readonly replayed: string;
  readonly alertsLive: number;
  readonly alertsReplayed: number;
  /** Alerts on the topic that are there more than once. None where delivery is exactly once. */
  readonly repeats: number;
  /** Found by the replay, but not on the alerts topic; and the other way round. */
  readonly missing: readonly Difference[];
  readonly unexpected: readonly Difference[];
  /** Alerts that could not be compared, because records they were made of are gone from the log. */
  readonly beforeRetention: number;
  readonly records: number;
}

/**
 * Replays a topic from its first record to what its group has committed, under the rule sets and with the ticks that the journal
 * says were in force, and compares the alerts with those on the alerts topic. Equal sets have equal digests.
 *
 * What retention has deleted cannot be replayed: alerts with a record from before are left out on both sides.
 */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const partitions = await partitionsOf(options);
  const begins = new Map(partitions.map((p) => [partitionName(p), p.begin]));
  const total = partitions.reduce((sum, p) => sum + p.end - p.begin, 0);
  const replayed = new Map<string, Alert>();
  const sides: Sides = { options, begins, watermarks: new Map(), beforeRetention: 0 };
  const all: Alert[] = [];
  let records = 0;
  for (const partition of partitions) {
    const watermark = await replay(partition, options, {
      onAlert: (alert) => void all.push(alert),
      onReplayed: (n) => {
        records += n;
        options.onProgress?.(records, total);
      },
    });
    sides.watermarks.set(partitionName(partition), watermark);
  }
  for (const alert of all) if (counts(alert, sides)) replayed.set(alert.id, alert);
  const live = new Map<string, Alert>();
  let repeats = 0;
  for await (const alert of alertsOn(options)) {
    if (!counts(alert, sides)) continue;
    if (live.has(alert.id)) repeats++;
    live.set(alert.id, alert);
  }
  const missing = differences(replayed, live);
  const unexpected = differences(live, replayed);
  const [liveDigest, replayedDigest] = [digestOf(live), digestOf(replayed)];
  return {
    equal: liveDigest === replayedDigest,
    live: liveDigest,
    replayed: replayedDigest,
    alertsLive: live.size,
    alertsReplayed: replayed.size,
    ...{ repeats, missing, unexpected, beforeRetention: sides.beforeRetention, records },
  };
}

interface ReplayedPartition extends TopicPartition {
  readonly begin: number;
  /** What the group has committed. */
  readonly end: number;
}

export class VerifyError extends Error {
  readonly code = 'VERIFY';
}

async function partitionsOf({ log, topic, groupId }: VerifyOptions): Promise<ReplayedPartition[]> {
  const info = (await log.topics()).find(({ name }) => name === topic);
  if (info === undefined) throw new VerifyError(`There is no topic ${topic}.`);
  const committed = await log.committed(groupId);
  const partitions: ReplayedPartition[] = [];
  for (let partition = 0; partition < info.partitions; partition++) {
    const at = { topic, partition };
    const { begin } = await log.offsets(at);
    partitions.push({ ...at, begin, end: committed.get(partitionName(at)) ?? begin });
  }
  return partitions;
}

async function replay(
  partition: ReplayedPartition,
  options: VerifyOptions,
  to: { readonly onAlert: (alert: Alert) => void; readonly onReplayed: (records: number) => void },
): Promise<number> {
  const { log, journalTopic, stream, streams, current, readRuleSet, pseudonyms, signal, turn, report } = options;
  const topics = await log.topics();
  const journalPartitions = topics.find(({ name }) => name === journalTopic)?.partitions;
  if (journalPartitions === undefined)
    throw new VerifyError(`There is no journal ${journalTopic}: it says which rules were in force, and when.`);
  const journal = journalPartition(journalTopic, journalPartitions, partition);
  const history = await readJournal(log, journal, partition, START_OF_JOURNAL.from, signal);
  const { end } = partition;
  const begin = Math.max(partition.begin, startOf(history));
  const entries = history.entries.filter(({ offset }) => offset >= begin && offset <= end);
  const nothing = (): void => undefined;
  const output = {
    ...{ onDeadLetter: nothing, onLate: nothing, onMatch: nothing, onRunsDropped: nothing, onMatchesDropped: nothing },
    onAlert: to.onAlert,
  };
  const replayer = new Replayer(partition, await new MemoryStateStore().partition(partition), history, {
    ...{ log, journal, current, readRuleSet, signal, turn, report, onReplayed: to.onReplayed, givesOut: true },
    makeTask: (ruleSet) => new Task({ partition, stream, streams, ruleSet, clock: NO_CLOCK, output, pseudonyms }),
  });
  const task = await replayer.run(stretchesOf(entries, rulesAt(history, begin), end), [], null, begin);
  return task.status().watermark ?? Number.NEGATIVE_INFINITY;
}

async function* alertsOn(options: VerifyOptions): AsyncIterable<Alert> {
  const { alertsTopic, shadowTopic } = options;
  yield* alertsIn(alertsTopic, options);
  if (shadowTopic !== undefined) yield* alertsIn(shadowTopic, options);
}

async function* alertsIn(alertsTopic: string, { log, alertDecoder, signal }: VerifyOptions): AsyncIterable<Alert> {
  const info = (await log.topics()).find(({ name }) => name === alertsTopic);
  for (let partition = 0; partition < (info?.partitions ?? 0); partition++) {
    const at = { topic: alertsTopic, partition };
    const { begin } = await log.offsets(at);
    for await (const { records } of log.read(at, begin, { signal })) {
      for (const { value } of records) if (value !== null) yield alertDecoder.decode(value);
    }
  }
}

interface Sides {
  readonly options: VerifyOptions;
  /** First offset there is, and event time up to which all was replayed, by partition. */
  readonly begins: ReadonlyMap<string, number>;
  readonly watermarks: Map<string, number>;
  beforeRetention: number;
}

/**
 * Whether an alert is one of the topic and the range, follows from what was replayed (a service that runs finds more meanwhile),
 * and all its records are still in the log.
 */
function counts(alert: Alert, sides: Sides): boolean {
  const { topic, from, to, stream, owns, current } = sides.options;
  const events = alert.steps.flatMap((step) => step.events);
  const forwarded = current.clock.forwarded === true;
  if (owns?.(alert.patternId, alert.keyField) === false) return false;
  if (!forwarded && events.some((event) => event.topic !== topic)) return false;
  if (alert.detectedAt < from || alert.detectedAt >= to) return false;
  const watermark = forwarded ? watermarkOf(alert, sides) : sides.watermarks.get(partitionName(events[0]!));
  if (watermark === undefined) return false;
  // In order of arrival, more events of the same time may have come since.
  if (stream.clock.mode === 'arrival' ? alert.detectedAt >= watermark : alert.detectedAt > watermark) return false;
  // Where events were forwarded from is another topic, with a retention of its own.
  if (forwarded || events.every((event) => event.offset >= (sides.begins.get(partitionName(event)) ?? 0))) return true;
  sides.beforeRetention++;
  return false;
}

/** Event time up to which the partition was replayed that the alert's key belongs to. A pseudonym does not tell which that is. */
function watermarkOf({ key }: Alert, { options, watermarks }: Sides): number | undefined {
  if (isPseudonym(key)) return Math.min(...watermarks.values());
  const partition = partitionOfKey(new TextEncoder().encode(key), watermarks.size);
  return watermarks.get(partitionName({ topic: options.topic, partition }));
}

function differences(of: ReadonlyMap<string, Alert>, against: ReadonlyMap<string, Alert>): Difference[] {
  return [...of.values()]
    .filter((alert) => !against.has(alert.id))
    .map(({ id, patternId, key, detectedAt }) => ({ id, patternId, key, detectedAt }));
}

function digestOf(alerts: ReadonlyMap<string, Alert>): string {
  const digest = new AlertDigest();
  for (const alert of alerts.values()) digest.add(alert);
  return digest.hex();
}
