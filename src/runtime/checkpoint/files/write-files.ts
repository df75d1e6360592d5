import { createHash } from 'node:crypto';
import type { TopicPartition } from '../../ports/log.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { FileRef } from './manifest.js';
import { type Change, type Compression, PartEncoder } from './part-codec.js';

export interface FileTarget {
  readonly partition: TopicPartition;
  readonly objects: ObjectStore;
  /** Name of the object for a part. */
  readonly nameOf: (part: number) => string;
  /** A part is at most so large before it is compressed, unless one entry alone is larger. */
  readonly partBytes: number;
  readonly compression: Compression | null;
  readonly turn: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Work between two turns of others: a fraction of a millisecond. */
const SLICE_ENTRIES = 256;
const SLICE_BYTES = 128 * 1024;
/** Parts in memory at a time, beside the one that is being filled. */
const UPLOADS = 2;

/** Writes changes into as many parts as they need: none for none. All of them are durable when it resolves. */
export async function writeFiles(
  changes: Iterable<Change> | AsyncIterable<Change>,
  target: FileTarget,
): Promise<readonly FileRef[]> {
  const files: Promise<FileRef>[] = [];
  const encoder = new PartEncoder(target.partition, target.partBytes);
  const next = async () => {
    await files.at(-UPLOADS);
    const file = store(await encoder.finish(target.compression), target.nameOf(files.length), target);
    // Who awaits it gets the error; that may be later.
    file.catch(() => {});
    files.push(file);
  };
  const pace = new Pace();
  for await (const { key, value } of changes) {
    if (!encoder.add(key, value)) {
      await next();
      encoder.add(key, value);
    }
    if (pace.isDue(key.length + (value?.length ?? 0))) {
      await target.turn();
      target.signal.throwIfAborted();
    }
  }
  if (!encoder.isEmpty) await next();
  return Promise.all(files);
}

async function store(part: Uint8Array, name: string, target: FileTarget): Promise<FileRef> {
  const sha256 = await hashOf(part, target.turn);
  await target.objects.put(name, part);
  return { name: name.slice(name.lastIndexOf('/') + 1), bytes: part.length, sha256 };
}

/** SHA-256 in hexadecimal. */
export async function hashOf(bytes: Uint8Array, turn: () => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    if (at > 0) await turn();
    hash.update(bytes.subarray(at, at + SLICE_BYTES));
  }
  return hash.digest('hex');
}

/** Says when it is time for others. */
export class Pace {
  private entries = 0;
  private bytes = 0;

  isDue(bytes: number): boolean {
    this.entries++;
    this.bytes += bytes;
    if (this.entries < SLICE_ENTRIES && this.bytes < SLICE_BYTES) return false;
    this.entries = 0;
    this.bytes = 0;
    return true;
  }
}
