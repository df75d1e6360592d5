import type { TopicPartition } from '../../ports/log.js';
import type { ObjectReader } from './abortable.js';
import { CheckpointDamagedError } from './damaged.js';
import type { FileRef } from './manifest.js';
import { bodyOf, type Compression } from './part-codec.js';
import { hashOf } from './write-files.js';

export interface FileSource {
  readonly partition: TopicPartition;
  readonly objects: ObjectReader;
  /** What all names of the partition begin with. */
  readonly prefix: string;
  readonly compression: Compression | null;
  readonly turn: () => Promise<void>;
}

/** Files that are fetched ahead of the one that is read. */
const AHEAD = 2;

/**
 * Bodies of the files, one after the other, for `changesIn`.
 *
 * @throws CheckpointDamagedError when one is missing, or is not what was written.
 */
export async function* readFiles(files: readonly FileRef[], source: FileSource): AsyncGenerator<Buffer> {
  const loading: Promise<Buffer>[] = [];
  for (let i = 0; i < files.length; i++) {
    while (loading.length < files.length && loading.length <= i + AHEAD) {
      const file = load(files[loading.length]!, source);
      // Who awaits it gets the error; that may be later, or never.
      file.catch(() => {});
      loading.push(file);
    }
    yield await loading[i]!;
    // What was read may go.
    delete loading[i];
  }
}

async function load(file: FileRef, source: FileSource): Promise<Buffer> {
  const bytes = await fetchWhole(file, source);
  try {
    return await bodyOf(source.partition, file.name, bytes, source.compression);
  } catch (error) {
    if (error instanceof CheckpointDamagedError) throw error;
    throw new CheckpointDamagedError(`${file.name} cannot be decompressed`, file.name, { cause: error });
  }
}

/** The bytes that were written under this name. Throws `CheckpointDamagedError` when they are not there, or others. */
export async function fetchWhole(file: FileRef, { objects, prefix, turn }: FileSource): Promise<Uint8Array> {
  const bytes = await objects.get(prefix + file.name);
  if (bytes === null) throw new CheckpointDamagedError(`${file.name} is missing`, file.name);
  if (bytes.length !== file.bytes) {
    throw new CheckpointDamagedError(`${file.name} has ${bytes.length} bytes, not ${file.bytes}`, file.name);
  }
  if ((await hashOf(bytes, turn)) !== file.sha256) {
    throw new CheckpointDamagedError(`${file.name} is not what was written: its SHA-256 differs`, file.name);
  }
  return bytes;
}
