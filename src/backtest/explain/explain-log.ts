import { keysBy } from '../../rules/key-of.js';
import type { Rule } from '../../rules/rule.js';
import { isTaken } from '../../rules/streams-read.js';
import { type ExplainedRange, Explainer, rangeOf } from '../../runtime/explain/explainer.js';
import type { Explanation } from '../../runtime/explain/explanation.js';
import { type History, journalPartition, readJournal } from '../../runtime/journal/journal.js';
import type { ReadRuleSet, RuleSetVersion } from '../../runtime/journal/rule-set-version.js';
import { rulesAt, startOf, stretchesOf } from '../../runtime/journal/stretches.js';
import { Replayer } from '../../runtime/lane/recovery/replayer.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import { partitionOfKey } from '../../runtime/partitioner.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { type Log, partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import { firstPlaceOf } from '../../runtime/repartition/envelope.js';
import { Forwarder } from '../../runtime/repartition/forwarder.js';
import type { StreamDefinition } from '../../runtime/stream.js';
import { nameEvent } from '../../runtime/task/alert/alert-builder.js';
import type { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import { EventReader } from '../../runtime/task/event-reader.js';
import type { SourceEvent } from '../../runtime/task/source-event.js';
import { SILENT, Task } from '../../runtime/task/task.js';
import { TaskStreams } from '../../runtime/task/task-streams.js';
import { NO_CLOCK } from '../verify/no-clock.js';

export interface ExplainLogOptions {
  readonly log: Log;
  /** The topics that the rule runs on. */
  readonly topics: readonly string[];
  readonly journalTopic: string;
  readonly stream: StreamDefinition;
  /** All streams, of which events may have been forwarded. */
  readonly streams: readonly StreamDefinition[];
  /** For what the journal knows nothing of. */
  readonly current: RuleSetVersion;
  readonly readRuleSet: ReadRuleSet;
  /** Id of the rule. */
  readonly pattern: string;
  readonly key: string;
  /** Event time in ms. */
  readonly at: number;
  readonly signal: AbortSignal;
  /** What stands for personal values in alerts; absent: the values themselves. */
  readonly pseudonyms?: Pseudonyms | undefined;
  /** Resolves when other work of the process has had its turn. */
  readonly turn: () => Promise<void>;
  /** Records replayed so far. */
  readonly onProgress?: (records: number) => void;
}

/** There is no such rule, now or in the journal, or nothing to replay. */
export class ExplainError extends Error {
  readonly code = 'EXPLAIN';
}

/** An event of the key as it was processed, and what was in force then. */
interface Processed {
  readonly event: SourceEvent;
  readonly version: RuleSetVersion;
}

/** What a replay of one partition has shown of the key. */
interface Seen {
  readonly partition: TopicPartition;
  readonly events: readonly Processed[];
  readonly alerts: readonly Alert[];
  /** What was in force where the replay ended. */
  readonly last: RuleSetVersion;
  readonly watermark: number;
  readonly notes: readonly string[];
}

/**
 * Why a rule fired for a key at a time, or why it did not, from the log: the partition of the key is replayed for this rule, under the
 * rule sets and with the ticks that the journal says were in force, from as far back as the rule's windows reach. Nothing is written.
 * Throws `ExplainError`.
 */
export async function explainFromLog(options: ExplainLogOptions): Promise<Explanation> {
  let seen: Seen | null = null;
  for (const partition of await partitionsOf(options)) {
    const found = await replayed(partition, options);
    seen ??= found;
    if (found.events.length === 0) continue;
    seen = found;
    break;
  }
  if (seen === null) throw new ExplainError(`There is no topic ${options.topics.join(', ')} yet.`);
  return explanationOf(seen, options);
}

/** The one that the key is in by its hash comes first; who wrote the records may have had another hash. */
async function partitionsOf({ log, topics, key, current }: ExplainLogOptions): Promise<readonly TopicPartition[]> {
  const found = (await log.topics()).filter(({ name, partitions }) => topics.includes(name) && partitions > 0);
  const own: TopicPartition[] = [];
  const others: TopicPartition[] = [];
  for (const { name, partitions } of found) {
    const first = partitionOfKey(new TextEncoder().encode(key), partitions);
    for (let partition = 0; partition < partitions; partition++)
      (partition === first ? own : others).push({ topic: name, partition });
  }
  return current.clock.forwarded === true ? own : [...own, ...others];
}

function explanationOf(seen: Seen, options: ExplainLogOptions): Explanation {
  const { pattern, key, at, streams } = options;
  const then = seen.events.findLast(({ event }) => event.time <= at)?.version ?? seen.last;
  const version = ruleIn(then, pattern) === undefined ? seen.last : then;
  const rule = ruleIn(version, pattern);
  if (rule === undefined) throw new ExplainError(`There is no rule ${pattern} that runs or ran at that time.`);
  const named = new TaskStreams(options.stream, streams);
  const { lists, quantifierGap, limits } = version.options;
  const runsMax = rule.limits?.runsMax ?? limits?.runsMax;
  const explainer = new Explainer({
    ...{ rule, key, at },
    ...(lists && { lists }),
    ...(quantifierGap && { quantifierGap }),
    ...(runsMax !== undefined && { runsMax }),
    kindParents: named.kindParents(streams.map(({ name }) => name)),
    tell: (event) => ({
      ...nameEvent(event as SourceEvent, {
        placeOf: (of) => firstPlaceOf(of, seen.partition, version.clock.forwarded === true),
        idFieldOf: ({ stream }) => named.named(stream).idField,
      }),
      ...(streams.length > 1 && event.stream !== undefined ? { stream: event.stream } : {}),
    }),
  });
  const reader = new EventReader(seen.partition, named, { ruleSet: () => version, effectiveTime: (time) => time });
  for (const { event, version: before } of seen.events) {
    const read = before === version ? event : reader.readAnew(event);
    if (read === null || !isTaken(rule, read)) continue;
    read.seq = event.seq;
    explainer.feed(read);
  }
  for (const alert of seen.alerts) explainer.onAlert(alert);
  return explainer.finish(seen.watermark, [
    ...seen.notes,
    ...revisionNotes(seen, rule, then, explainer.range, options),
  ]);
}

function revisionNotes(
  { events }: Seen,
  rule: Rule,
  then: RuleSetVersion,
  { from }: ExplainedRange,
  { at, current }: ExplainLogOptions,
): readonly string[] {
  if (ruleIn(then, rule.id) === undefined)
    return ['The rule was not in force then: what it would have found is told by the revision that came later.'];
  const inRange = events.filter(({ event }) => event.time >= from && event.time <= at);
  const revisions = new Set(inRange.flatMap(({ version }) => ruleIn(version, rule.id)?.revision ?? []));
  const notes: string[] = [];
  if (revisions.size > 1)
    notes.push(
      `The rule was changed in that time (${[...revisions].join(', then ')}): partial matches are told as the last of these revisions sees them.`,
    );
  const now = ruleIn(current, rule.id)?.revision;
  if (now !== rule.revision)
    notes.push(
      now === undefined ? 'The rule does not run any more.' : `The rule has been changed since, to revision ${now}.`,
    );
  return notes;
}

const ruleIn = ({ rules }: RuleSetVersion, id: string): Rule | undefined =>
  rules.find((rule) => rule.id === id && rule.drains !== true);

/** Hears of events as they are processed. */
class Listening extends Forwarder {
  constructor(
    partition: TopicPartition,
    private readonly heard: (event: SourceEvent) => void,
  ) {
    super({ from: partition, stream: '', of: 1, targets: [], horizonMs: 0, send: () => undefined });
  }

  override forward(event: SourceEvent): void {
    this.heard(event);
  }
}

async function replayed(partition: TopicPartition, options: ExplainLogOptions): Promise<Seen> {
  const { log, pattern, key, at, stream, streams, pseudonyms, signal, turn } = options;
  const known = ruleIn(options.current, pattern);
  const range: ExplainedRange =
    known === undefined ? { from: Number.NEGATIVE_INFINITY, until: at } : rangeOf({ rule: known, key, at });
  const history = await historyOf(partition, options);
  const { begin, end } = await log.offsets(partition);
  const start = Math.max(Math.min(startOf(history), end), await startFor(partition, begin, known, range, options));
  const entries = history.entries.filter(({ offset }) => offset >= start && offset <= end);
  const [events, alerts]: [Processed[], Alert[]] = [[], []];
  const only = onlyRule(pattern);
  const enough = new AbortController();
  let task: Task | null = null;
  let records = 0;
  const hear = (event: SourceEvent): void => {
    if (event.time > range.until) enough.abort();
    else if (isOf(event, key, task!.rules, known)) {
      event.detach();
      events.push({ event, version: task!.rules });
    }
  };
  const makeTask = (ruleSet: RuleSetVersion): Task => {
    const output = { ...SILENT, onAlert: (alert: Alert) => void alerts.push(alert) };
    task = new Task({ partition, stream, streams, ruleSet, clock: NO_CLOCK, output, pseudonyms });
    task.forwardTo(new Listening(partition, hear));
    return task;
  };
  const replayer = new Replayer(partition, await new MemoryStateStore().partition(partition), history, {
    ...{ log, turn, makeTask, givesOut: true, report: () => undefined },
    journal: await journalOf(partition, options),
    current: only(options.current),
    readRuleSet: async (body, bodyOf) => only(await options.readRuleSet(body, bodyOf)),
    signal: AbortSignal.any([signal, enough.signal]),
    onReplayed: (n) => {
      records += n;
      options.onProgress?.(records);
    },
  });
  try {
    await replayer.run(stretchesOf(entries, rulesAt(history, start), end), [], null, start);
  } catch (error) {
    if (!enough.signal.aborted || signal.aborted) throw error;
  }
  const watermark = enough.signal.aborted ? range.until : (task!.status().watermark ?? Number.NEGATIVE_INFINITY);
  const keys = [key, pseudonyms?.of(key)];
  return {
    ...{ partition, events, watermark, last: task!.rules },
    alerts: alerts.filter((alert) => alert.patternId === pattern && keys.includes(alert.key)),
    notes:
      begin > 0 && start <= begin ? [`Records of ${partitionName(partition)} before offset ${begin} are gone.`] : [],
  };
}

/** A version with one of its rules, the same for the same: what is computed for the others is not wanted. */
function onlyRule(pattern: string): (version: RuleSetVersion) => RuleSetVersion {
  const made = new WeakMap<RuleSetVersion, RuleSetVersion>();
  return (version) => {
    const known = made.get(version) ?? { ...version, rules: version.rules.filter(({ id }) => id === pattern) };
    made.set(version, known);
    return known;
  };
}

function isOf(event: SourceEvent, key: string, version: RuleSetVersion, known: Rule | undefined): boolean {
  if (event.forKey !== null) return event.forKey === key;
  const rule = version.rules[0] ?? known;
  return rule !== undefined && keysBy(rule.keyBy)(event).includes(key);
}

/** Skip strategies choose among matches that overlap: so much farther back the choice is hardly ever another one. */
const WINDOWS_BACK = 2;

/** The offset from which on all that can matter was written: an event is written when it has happened, or later. */
async function startFor(
  partition: TopicPartition,
  begin: number,
  rule: Rule | undefined,
  { from, until }: ExplainedRange,
  { log, at, current }: ExplainLogOptions,
): Promise<number> {
  if (rule === undefined || !Number.isFinite(from)) return begin;
  const features = (rule.features ?? []).map(({ feature }) => feature.overMs + (feature.lagMs ?? 0));
  const backMs = WINDOWS_BACK * (until - at) + Math.max(0, ...features) + 2 * current.clock.outOfOrdernessMs;
  const time = from - backMs;
  return time <= 0 ? begin : Math.max(begin, await log.offsetAt(partition, time));
}

const NOTHING: History = { entries: [], bodies: new Map(), end: 0 };

async function journalOf(partition: TopicPartition, { log, journalTopic }: ExplainLogOptions): Promise<TopicPartition> {
  const partitions = (await log.topics()).find(({ name }) => name === journalTopic)?.partitions ?? 0;
  return partitions === 0
    ? { topic: journalTopic, partition: 0 }
    : journalPartition(journalTopic, partitions, partition);
}

/** Without a journal, no service has read the topic: the rules of now are taken to be in force. */
async function historyOf(partition: TopicPartition, options: ExplainLogOptions): Promise<History> {
  const { log, journalTopic, signal } = options;
  if (!(await log.topics()).some(({ name }) => name === journalTopic)) return NOTHING;
  return readJournal(log, await journalOf(partition, options), partition, 0, signal);
}
