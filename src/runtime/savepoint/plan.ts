import type { JournalEntry } from '../journal/journal.js';
import { type Log, type OutgoingRecord, partitionName, type TopicPartition } from '../ports/log.js';
import type { StateEntry, StateStore } from '../ports/state-store.js';
import { type Cut, decodeCut } from '../task/stored/cut.js';
import { SavepointError } from './errors.js';
import type { SavepointFile } from './file-reader.js';
import type { SavepointPartition } from './header.js';

/** What a restore is to make of one partition. */
export interface PlannedPartition extends TopicPartition {
  /** But for its place in the journal, which is found when it is written. */
  readonly cut: Cut;
  /** Where the group goes on; from the cut's position to here is replayed. */
  readonly committed: number;
  /** What the journal must say of that stretch. */
  readonly journal: readonly JournalEntry[];
}

export interface RestorePlan {
  readonly files: readonly SavepointFile[];
  readonly partitions: readonly PlannedPartition[];
  /** Place in `partitions` of an entry of a partition, which is given by its place in the file's header; `null`: it is left out. */
  readonly targetOf: (file: number, partition: number, entry: StateEntry) => number | null;
  /** Bodies of rule sets by digest. */
  readonly ruleSets: ReadonlyMap<string, Uint8Array>;
  /** Records that had been held back and must be read again, to be written with the offsets. */
  readonly heldBack: readonly OutgoingRecord[];
}

/** A partition in one of the files. */
export interface Source {
  readonly file: number;
  /** Place in the file's header. */
  readonly place: number;
  readonly partition: SavepointPartition;
  readonly cut: Cut;
}

/**
 * The partitions of savepoints that belong together: each process writes those that it owns. State that a machine still has of a
 * partition that another one went on with is as right, but older: the newer one counts.
 *
 * @param release this one's, for messages.
 * @throws SavepointError `SAVEPOINT_TARGET`: some are missing, or there twice; `SAVEPOINT_VERSION`.
 */
export function sourcesIn(files: readonly SavepointFile[], release: string): Source[] {
  const all = files.flatMap(({ header, path }, file) =>
    header.partitions.map((partition, place): Source => {
      const cut = readCut(partition, path, header.release, release);
      return { file, place, partition, cut };
    }),
  );
  const newest = new Map<string, Source>();
  for (const source of all) {
    const name = partitionName(source.partition);
    const other = newest.get(name);
    if (other !== undefined && other.partition.committed !== source.partition.committed) {
      throw misfit(`${name} is in more than one of the files, which were not taken at the same time`);
    }
    if (other === undefined || other.cut.position < source.cut.position) newest.set(name, source);
  }
  const sources = [...newest.values()];
  const names = [...newest.keys()];
  const missing = topicsOf(files).flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => partitionName({ topic, partition })).filter(
      (name) => !names.includes(name),
    ),
  );
  if (missing.length > 0) {
    throw misfit(
      `${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' and others are' : ' is'} missing: each process of a group writes the partitions ` +
        'that it owns. Give the files of all of them',
    );
  }
  return sources;
}

/** Topics of all files, each once. */
export function topicsOf(files: readonly SavepointFile[]): { readonly name: string; readonly partitions: number }[] {
  return [...new Map(files.flatMap(({ header }) => header.topics).map((topic) => [topic.name, topic])).values()];
}

export function ruleSetsOf(files: readonly SavepointFile[]): Map<string, Uint8Array> {
  return new Map(files.flatMap(({ header }) => header.ruleSets).map(({ digest, body }) => [digest, body]));
}

/** Tells the partitions of all files apart. */
export const sourceId = (file: number, place: number): number => file * 0x1_0000_0000 + place;

export function misfit(message: string): SavepointError {
  return new SavepointError('SAVEPOINT_TARGET', message);
}

function readCut({ cut }: SavepointPartition, path: string, writtenBy: string, release: string): Cut {
  try {
    return decodeCut(cut);
  } catch (error) {
    throw new SavepointError(
      'SAVEPOINT_VERSION',
      `${path} was written by stakeout ${writtenBy}, and this release, ${release}, cannot restore it: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** What a plan would overwrite: partitions with state, and with offsets other than those that it commits. */
export interface Occupied {
  readonly state: readonly string[];
  readonly offsets: readonly string[];
}

export async function occupiedBy(
  { partitions }: RestorePlan,
  { log, store, group }: { readonly log: Log; readonly store: StateStore; readonly group: string },
): Promise<Occupied> {
  const offsets = await log.committed(group);
  const state: string[] = [];
  for (const p of partitions) {
    const held = await store.partition(p);
    if ((await held.cut()) !== null) state.push(partitionName(p));
  }
  const others = partitions.filter((p) => (offsets.get(partitionName(p)) ?? p.committed) !== p.committed);
  return { state, offsets: others.map(partitionName) };
}
