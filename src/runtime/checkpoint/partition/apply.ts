import type { PartitionState, StateEntry } from '../../ports/state-store.js';
import type { FileRef, Manifest } from '../files/manifest.js';
import { changesIn } from '../files/part-codec.js';
import { type FileSource, readFiles } from '../files/read-files.js';
import { Pace } from '../files/write-files.js';

/** Stands in the place of the cut while a copy is being put in: what is there then is no consistent state. */
const UNFINISHED = new TextEncoder().encode('a copy is being put in');

export function isUnfinished(cut: Uint8Array): boolean {
  return Buffer.compare(cut, UNFINISHED) === 0;
}

/**
 * Writes files of a checkpoint into a partition, and then its cut. A crash on the way leaves a cut that is none, which
 * `isUnfinished` knows and no release takes for its own.
 *
 * @param files those that lead from what is held to the checkpoint.
 * @throws CheckpointDamagedError The partition then is unfinished, unless `files` begins with the damaged one.
 */
export async function applyFiles(
  into: PartitionState,
  manifest: Manifest,
  files: readonly FileRef[],
  source: FileSource,
): Promise<void> {
  const { position, cut } = manifest;
  let puts: StateEntry[] = [];
  let deletes: Uint8Array[] = [];
  const pace = new Pace();
  let writing = Promise.resolve();
  // While one batch is written the next is made.
  const flush = async () => {
    await writing;
    writing = into.write({ position, cut: UNFINISHED, puts, deletes });
    // The next one gets the error.
    writing.catch(() => {});
    puts = [];
    deletes = [];
    await source.turn();
  };
  for await (const body of readFiles(files, source)) {
    // A key may stand in two files, but in no file twice: no batch reaches over the end of a file.
    for (const { key, value } of changesIn(body)) {
      if (value === null) deletes.push(key);
      else puts.push({ key, value });
      if (pace.isDue(key.length + (value?.length ?? 0))) await flush();
    }
    if (puts.length + deletes.length > 0) await flush();
  }
  await writing;
  await into.write({ position, cut: cut!, puts: [], deletes: [] });
}
