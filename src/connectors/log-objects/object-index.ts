import type { LogRecord } from '../../runtime/ports/log.js';
import { decodeHead, type Head, type ObjectKey, parseKey } from './object-format.js';

/** Where one attempt to put an object has its chunks. */
interface Attempt {
  readonly name: string;
  readonly id: string;
  /** Offsets by the chunk's number. */
  readonly offsets: Map<number, number>;
  /** Of the last chunk, by the log. */
  timestamp: number;
}

/** An object as it stands in a partition. */
export interface Entry {
  readonly head: Head;
  /** Offset of the head. */
  readonly offset: number;
  /** Offsets of the chunks, in their order; one that is not there is `undefined`. */
  readonly chunks: readonly (number | undefined)[];
}

/** A chunk that no object needs. */
export interface Garbage {
  readonly name: string;
  readonly id: string;
  readonly index: number;
}

/**
 * What one partition holds, from its records in their order.
 *
 * 1. An object is what its last head says, with the chunks of that attempt: so puts of one name at the same time do not mix.
 * 2. Chunks are garbage once a head of their name has been replaced or deleted that named them, or when no head came for long.
 */
export class ObjectIndex {
  private readonly heads = new Map<string, { readonly head: Head; readonly offset: number }>();
  private readonly attempts = new Map<string, Attempt>();
  /** Attempts whose head was replaced or deleted. */
  private readonly over = new Set<Attempt>();

  add(record: LogRecord): void {
    const key = parseKey(record.key);
    if (key === undefined) return;
    if (key.chunk === undefined) this.addHead(key.name, record);
    else this.addChunk(key.name, key.chunk, record);
  }

  get(name: string): Entry | undefined {
    const found = this.heads.get(name);
    if (found === undefined) return undefined;
    const offsets = this.attempts.get(attemptKey(name, found.head.id))?.offsets;
    return { ...found, chunks: Array.from({ length: found.head.chunks }, (_, i) => offsets?.get(i)) };
  }

  names(prefix: string): string[] {
    return [...this.heads.keys()].filter((name) => name.startsWith(prefix));
  }

  /** @param strayBefore attempts without a head are given up when their last chunk is older. */
  garbage(strayBefore: number): Garbage[] {
    const strays = [...this.attempts.values()].filter(
      (one) => one.timestamp < strayBefore && this.heads.get(one.name)?.head.id !== one.id,
    );
    return [...new Set([...this.over, ...strays])].flatMap(({ name, id, offsets }) =>
      [...offsets.keys()].map((index) => ({ name, id, index })),
    );
  }

  private addHead(name: string, { value, offset }: LogRecord): void {
    const former = this.heads.get(name);
    const decoded = value === null ? undefined : decodeHead(value);
    if (decoded === undefined) this.heads.delete(name);
    else this.heads.set(name, { head: decoded.head, offset });
    if (former === undefined || former.head.id === decoded?.head.id) return;
    const attempt = this.attempts.get(attemptKey(name, former.head.id));
    if (attempt !== undefined) this.over.add(attempt);
  }

  private addChunk(name: string, { id, index }: NonNullable<ObjectKey['chunk']>, record: LogRecord): void {
    const key = attemptKey(name, id);
    const attempt = this.attempts.get(key) ?? { name, id, offsets: new Map<number, number>(), timestamp: 0 };
    if (record.value === null) {
      attempt.offsets.delete(index);
    } else {
      attempt.offsets.set(index, record.offset);
      attempt.timestamp = record.timestamp;
      this.attempts.set(key, attempt);
    }
    if (attempt.offsets.size === 0) {
      this.attempts.delete(key);
      this.over.delete(attempt);
    }
  }
}

function attemptKey(name: string, id: string): string {
  return `${name}#${id}`;
}
