import { type Log, partitionName } from '../ports/log.js';
import { decodeEnvelope } from '../repartition/envelope.js';
import type { SavepointFile } from './file-reader.js';
import { misfit, type RestorePlan, ruleSetsOf, type Source, sourceId, sourcesIn, topicsOf } from './plan.js';

export interface SameTopicsOptions {
  readonly log: Log;
  /** This one's, for messages. */
  readonly release: string;
  readonly signal: AbortSignal;
}

/**
 * Goes on in the topics that the savepoint is of: the same log, or a copy of it with the same offsets. Positions, watermarks and keys
 * stay as they are, and records that were held back are read from the topic again.
 *
 * @throws SavepointError `SAVEPOINT_TARGET`: they are not these topics; `SAVEPOINT_VERSION`.
 */
export async function planSameTopics(
  files: readonly SavepointFile[],
  options: SameTopicsOptions,
): Promise<RestorePlan> {
  const sources = sourcesIn(files, options.release);
  await checkTopics(files, options.log);
  for (const source of sources) await checkOffsets(source, options.log);
  for (const [file] of files.entries()) await checkRecords(file, files, options);
  for (const source of sources) if (source.cut.upstreams !== null) await checkForwarded(source, sources, options);
  const places = new Map(sources.map(({ file, place }, index) => [sourceId(file, place), index]));
  return {
    files,
    partitions: sources.map(({ partition: { topic, partition, committed, journal }, cut }) => ({
      ...{ topic, partition, cut, committed, journal },
    })),
    targetOf: (file, partition) => places.get(sourceId(file, partition)) ?? null,
    ruleSets: ruleSetsOf(files),
    heldBack: [],
  };
}

async function checkTopics(files: readonly SavepointFile[], log: Log): Promise<void> {
  const here = new Map((await log.topics()).map(({ name, partitions }) => [name, partitions]));
  for (const { name, partitions } of topicsOf(files)) {
    const found = here.get(name);
    if (found === partitions) continue;
    throw misfit(
      found === undefined
        ? `there is no topic ${name} in this log. To go on in another topic, name it with --topic, and say with --from where to begin`
        : `topic ${name} has ${found} partitions, and the savepoint is of ${partitions}. Keys can be shared out again: say with --from where to begin`,
    );
  }
}

async function checkOffsets({ partition, cut }: Source, log: Log): Promise<void> {
  const { begin, end } = await log.offsets(partition);
  const name = partitionName(partition);
  if (partition.committed > end) {
    throw misfit(
      `${name} ends at offset ${end}, and the savepoint is at ${partition.committed}: it is another topic, or was made anew. ` +
        'To go on in another topic, say with --from where to begin',
    );
  }
  if (cut.refill < begin) {
    throw misfit(
      `${name} begins at offset ${begin}, and records from ${cut.refill} on are needed: retention has deleted them. ` +
        'To go on without them, say with --from where to begin',
    );
  }
}

/** Records that were held back are in both: they tell a topic from another one of the same name. */
async function checkRecords(index: number, files: readonly SavepointFile[], options: SameTopicsOptions): Promise<void> {
  const { header, parts } = files[index]!;
  for await (const part of parts()) {
    if (part.kind !== 'records' || part.records.length === 0) continue;
    const { topic, partition } = header.partitions[part.partition]!;
    const kept = new Map(part.records.map(({ offset, value }) => [offset, value]));
    const [from, to] = [part.records[0]!.offset, part.records.at(-1)!.offset + 1];
    for await (const batch of options.log.read({ topic, partition }, from, { to, signal: options.signal })) {
      for (const { offset, value } of batch.records) {
        if (kept.has(offset) && sameBytes(kept.get(offset)!, value)) kept.delete(offset);
      }
    }
    options.signal.throwIfAborted();
    const [other] = kept.keys();
    if (other === undefined) continue;
    throw misfit(
      `${topic}-${partition} has another record at offset ${other} than the savepoint: it is not the topic that it was taken of. ` +
        'To go on in another topic, say with --from where to begin',
    );
  }
}

/** What the source forwards again must not be there already. */
async function checkForwarded(
  { partition, cut }: Source,
  sources: readonly Source[],
  options: SameTopicsOptions,
): Promise<void> {
  const begun = new Map(sources.map((source) => [partitionName(source.partition), source.partition.committed]));
  for await (const batch of options.log.read(partition, cut.position, { signal: options.signal })) {
    for (const { value } of batch.records) {
      const envelope = value === null ? null : decodeEnvelope(value);
      if (envelope?.kind !== 'event' || envelope.offset < (begun.get(partitionName(envelope.from)) ?? 0)) continue;
      throw misfit(
        `${partition.topic} holds events that the service forwarded to it after the savepoint was taken, and would forward again: ` +
          'with patterns keyed by another field, a savepoint can be restored only where nothing was processed since',
      );
    }
  }
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
