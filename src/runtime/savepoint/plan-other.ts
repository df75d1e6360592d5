import { partitionOfKey } from '../partitioner.js';
import { type Log, type OutgoingRecord, partitionName, type StartPosition, type TopicPartition } from '../ports/log.js';
import type { StateEntry } from '../ports/state-store.js';
import type { Cut } from '../task/stored/cut.js';
import { stateKey } from '../task/stored/state-key.js';
import type { SavepointFile } from './file-reader.js';
import { type HeldBack, heldBackIn, type RecordReader } from './held-back.js';
import {
  misfit,
  type PlannedPartition,
  type RestorePlan,
  ruleSetsOf,
  type Source,
  sourceId,
  sourcesIn,
  topicsOf,
} from './plan.js';

export interface OtherTopicOptions {
  readonly log: Log;
  readonly topic: string;
  /** Where to begin in it. */
  readonly from: StartPosition;
  /**
   * Events that waited for the watermark are in no state. `write`: they are written to the topic again, for a topic that has only what
   * comes after the savepoint. `skip`: it has them. `null`: not said, which is refused if there are any.
   */
  readonly heldBack: 'write' | 'skip' | null;
  readonly reader: RecordReader;
  /** This one's, for messages. */
  readonly release: string;
  readonly signal: AbortSignal;
}

/**
 * Goes on in another topic, with any number of partitions: keys are shared out by the partitioner. Why results stay right:
 *
 * 1. A key's state comes from one partition, whose watermark says up to where its events were processed. The new partition begins
 *    with the lowest watermark of those that its keys can come from, so no event that was still awaited is late. An event at or before
 *    the watermark of its key's own partition was processed there, or was late: it is late here too (`Origins`). So a topic that
 *    repeats some of what was processed does no harm.
 * 2. Timers up to that watermark have fired, later ones fire when the new watermark passes them.
 * 3. The new partition's order of processing goes on after the highest place that any of the old ones had given.
 * 4. Events that were held back come from the topic, or are written to it again, in order of time, before anything else is read.
 * 5. Where time is that of arrival nothing is late and nothing waits; time goes on from the highest, since it never falls.
 *
 * Events inside states still say where they were read: topic, partition and offset of the old topic.
 *
 * @throws SavepointError `SAVEPOINT_TARGET`: it cannot be shared out so; `SAVEPOINT_VERSION`.
 */
export async function planOtherTopic(
  files: readonly SavepointFile[],
  options: OtherTopicOptions,
): Promise<RestorePlan> {
  const { log, topic } = options;
  const sources = sourcesIn(files, options.release);
  const count = (await log.topics()).find(({ name }) => name === topic)?.partitions;
  if (count === undefined) throw misfit(`there is no topic ${topic} in this log: make it first`);
  checkSources(files, sources, count, options);
  await checkKeys(files, sources);
  const targets = Array.from({ length: count }, (_, partition): TopicPartition => ({ topic, partition }));
  const starts = await Promise.all(targets.map((target) => startOf(log, target, options.from)));
  const held = await heldBackIn(files, sources, options.reader, options.signal);
  await checkHeldBack(held, targets, starts, options);
  const kept = new Set(sources.map(({ file, place }) => sourceId(file, place)));
  return {
    files,
    partitions: targets.map((target) => planned(target, count, starts[target.partition]!, sources, options)),
    targetOf: (file, partition, entry) =>
      kept.has(sourceId(file, partition)) ? partitionOfKey(keyOf(entry), count) : null,
    ruleSets: ruleSetsOf(files),
    heldBack: options.heldBack === 'write' ? held.map(({ record }) => outgoing(record, topic)) : [],
  };
}

function planned(
  target: TopicPartition,
  count: number,
  start: number,
  sources: readonly Source[],
  { reader }: OtherTopicOptions,
): PlannedPartition {
  const cuts = inOrder(sources).map(({ cut }) => cut);
  const step = greatestCommonDivisor(cuts.length, count);
  // The same hash decides both: it has the same remainder by every number that divides both.
  const possible = cuts.filter((_, partition) => partition % step === target.partition % step);
  const arrival = reader.stream.clock.mode === 'arrival';
  const of = (time: (cut: Cut) => number): number =>
    arrival ? Math.max(...possible.map(time)) : Math.min(...possible.map(time));
  const watermark = of((cut) => cut.watermark);
  const apart = !arrival && possible.some((cut) => cut.watermark > watermark);
  const cut: Cut = {
    ...cuts[0]!,
    ...{ position: start, refill: start, watermark, maxTime: of(({ maxTime }) => maxTime) },
    nextSeq: Math.max(...cuts.map(({ nextSeq }) => nextSeq)),
    // Its entries are of other partitions.
    journal: { n: 0, from: 0 },
    origins: apart ? { watermarks: cuts.map((c) => c.watermark) } : null,
  };
  return { ...target, cut, committed: start, journal: [] };
}

function checkSources(
  files: readonly SavepointFile[],
  sources: readonly Source[],
  count: number,
  { reader }: OtherTopicOptions,
): void {
  if (topicsOf(files).length !== 1)
    throw misfit('keys can be shared out anew only where the savepoint is of one topic');
  const replays = sources.find(({ partition }) => partition.committed > partition.position);
  if (replays !== undefined) {
    throw misfit(
      `${partitionName(replays.partition)}: the service had not stopped in good order, so that records of the old topic must be replayed first. ` +
        'Start it once more, stop it in good order, and take the savepoint then',
    );
  }
  const layouts = new Set(sources.map(({ cut }) => JSON.stringify([cut.rules, cut.engines])));
  if (layouts.size > 1) {
    throw misfit(
      'its partitions were under different rule sets. Start the service once, stop it, and take the savepoint then',
    );
  }
  const { keyField } = reader.stream;
  const foreign = sources[0]!.cut.engines.find((engine) => keyField !== null && engine.keyField !== keyField);
  if (count > 1 && foreign !== undefined) {
    throw misfit(
      `patterns keyed by ${foreign.keyField} have state that cannot be shared out: the topic is keyed by ${keyField}`,
    );
  }
  const older = sources.find(({ cut }) => cut.origins !== null);
  if (older !== undefined) {
    throw misfit(
      `the state of ${partitionName(older.partition)} was itself put together from another topic not long ago: let the service run until its watermark has passed that`,
    );
  }
}

/** Every key must be where the partitioner puts it: else its events come by another rule, and would miss their state. */
async function checkKeys(files: readonly SavepointFile[], sources: readonly Source[]): Promise<void> {
  if (sources.length === 1) return;
  for (const { header, parts } of files) {
    for await (const part of parts()) {
      if (part.kind !== 'entries') continue;
      const { partition } = header.partitions[part.partition]!;
      if (part.entries.every((entry) => partitionOfKey(keyOf(entry), sources.length) === partition)) continue;
      throw misfit(
        `keys of partition ${partition} would not be there by Kafka's default partitioner: the old topic was not keyed by the text of ` +
          `${header.keyField ?? 'the key of the patterns'}, so that they cannot be shared out`,
      );
    }
  }
}

async function checkHeldBack(
  held: readonly HeldBack[],
  targets: readonly TopicPartition[],
  starts: readonly number[],
  { log, heldBack, topic }: OtherTopicOptions,
): Promise<void> {
  if (held.length === 0 || heldBack === 'skip') return;
  const events = `${held.length} ${held.length === 1 ? 'event' : 'events'}`;
  if (heldBack === null) {
    throw misfit(
      `${events} waited for the watermark when the savepoint was taken, and must be read again: say --held-back skip if ${topic} has them ` +
        'from where you begin, or --held-back write to have them written to it',
    );
  }
  for (const target of targets) {
    const { end } = await log.offsets(target);
    if (starts[target.partition] === end) continue;
    throw misfit(
      `${events} would be written to ${topic} behind records that are there already, and might be late then: begin at --from latest, or ` +
        'let the old topic rest until its partitions are idle before you take the savepoint, so that nothing waits',
    );
  }
}

async function startOf(log: Log, target: TopicPartition, from: StartPosition): Promise<number> {
  if (from.at === 'timestamp') return log.offsetAt(target, from.timestamp);
  const { begin, end } = await log.offsets(target);
  return from.at === 'earliest' ? begin : end;
}

const text = new TextEncoder();
const keyOf = ({ key }: StateEntry): Uint8Array => text.encode(stateKey.parse(key).name);

const inOrder = (sources: readonly Source[]): Source[] =>
  sources.toSorted((a, b) => a.partition.partition - b.partition.partition);

function outgoing({ key, value, headers, timestamp }: HeldBack['record'], topic: string): OutgoingRecord {
  return { topic, key, value, timestamp, ...(headers === null ? {} : { headers }) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
