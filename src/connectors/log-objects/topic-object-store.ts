import { randomUUID } from 'node:crypto';
import { assertObjectName } from '../../runtime/object-name.js';
import { partitionOfKey } from '../../runtime/partitioner.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, LogProducer, OutgoingRecord } from '../../runtime/ports/log.js';
import { type ObjectStore, ObjectStoreError } from '../../runtime/ports/object-store.js';
import { systemClock } from '../system-clock.js';
import { asObjectError } from './log-errors.js';
import { chunkKey, chunksOf, decodeHead, encodeHead, headKey, isContent } from './object-format.js';
import type { Entry } from './object-index.js';
import { ObjectPartition } from './object-partition.js';

export interface TopicObjectStoreOptions {
  readonly log: Log;
  /** Made compacted where it is not there. */
  readonly topic: string;
  /** Where it is made. Default 8. */
  readonly partitions?: number;
  readonly clock?: Clock;
}

/** Chunks that are on their way at once. */
const CHUNKS_AT_ONCE = 4;
/** So many parts of a path decide on the partition. */
const PLACE_PARTS = 2;
/** An attempt that has not written a chunk for so long is not under way any more. */
const STRAY_MS = 24 * 60 * 60 * 1000;
/** Chunks of no use that one put or delete takes along. */
const GARBAGE_MAX = 1000;
/** An object that is replaced while it is read is looked for again, so often. */
const READS_MAX = 20;

/**
 * Objects in a compacted topic of any log. Records are those of `object-format.ts`.
 *
 * 1. An object is there when its head is; the head is sent only after all its chunks are durable. So half an object is never seen.
 * 2. All records of an object lie in one partition, chosen by the first two parts of its name. The names that begin with two whole parts
 *    are listed from one partition; others from all.
 * 3. `get` and `list` first read what the partition has new: they see what was put, anywhere, before they were called.
 * 4. Chunks of no use (of replaced objects, of attempts that died) are deleted along with later puts and deletes.
 * 5. What is read is compared with the head's length and SHA-256.
 */
export class TopicObjectStore implements ObjectStore {
  private readonly stopped = new AbortController();
  private producer: Promise<LogProducer> | undefined;

  private constructor(
    private readonly log: Log,
    private readonly topic: string,
    private readonly clock: Clock,
    private readonly partitions: readonly ObjectPartition[],
  ) {}

  /** The log stays the caller's to close. @throws ObjectStoreError */
  static async open(options: TopicObjectStoreOptions): Promise<TopicObjectStore> {
    const { log, topic, clock = systemClock } = options;
    try {
      await log.createTopic({ name: topic, partitions: options.partitions ?? 8, compacted: true });
      const count = (await log.topics()).find(({ name }) => name === topic)?.partitions ?? 0;
      if (count === 0) {
        throw new ObjectStoreError('OBJECTS_AWAY', `topic ${topic} was made and is not there yet: start again`);
      }
      const partitions = Array.from(
        { length: count },
        (_, partition) => new ObjectPartition(log, { topic, partition }, clock),
      );
      return new TopicObjectStore(log, topic, clock, partitions);
    } catch (error) {
      throw asObjectError(error, `open topic ${topic}`);
    }
  }

  put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.during(`write ${name} to topic ${this.topic}`, signal, async (stop) => {
      assertObjectName(name);
      const id = randomUUID();
      // Taken over before the first wait: whoever put them may change them while chunks are sent.
      const content = new Uint8Array(bytes);
      const chunks = chunksOf(content).map((value, i) => ({ key: chunkKey(name, id, i), value }));
      for (let i = 0; i < chunks.length; i += CHUNKS_AT_ONCE) {
        await this.send(name, chunks.slice(i, i + CHUNKS_AT_ONCE), stop);
      }
      await this.send(
        name,
        [{ key: headKey(name), value: encodeHead(id, content) }, ...this.garbageBeside(name)],
        stop,
      );
    });
  }

  get(name: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.during(`read ${name} from topic ${this.topic}`, signal, async (stop) => {
      assertObjectName(name);
      const partition = this.partitionOf(name);
      let former: Entry | undefined;
      for (let i = 0; i < READS_MAX; i++) {
        await partition.refresh(stop);
        const entry = partition.index.get(name);
        if (entry === undefined) return null;
        const content = await this.contentOf(partition, entry, stop);
        if (content !== undefined) return content;
        // Replaced or deleted while it was read, or damaged: then it stays as it is.
        if (former?.offset === entry.offset) break;
        former = entry;
      }
      throw new ObjectStoreError(
        'OBJECTS_IO',
        `${name} in topic ${this.topic} is damaged: chunks are missing, or not what was written. Delete it.`,
      );
    });
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.during(`list topic ${this.topic}`, signal, async (stop) => {
      const parts = prefix.split('/');
      const concerned = parts.length > PLACE_PARTS ? [this.partitionOf(prefix)] : this.partitions;
      await Promise.all(concerned.map((partition) => partition.refresh(stop)));
      return concerned.flatMap((partition) => partition.index.names(prefix)).sort();
    });
  }

  delete(name: string, signal?: AbortSignal): Promise<void> {
    return this.during(`delete ${name} from topic ${this.topic}`, signal, async (stop) => {
      assertObjectName(name);
      const partition = this.partitionOf(name);
      await partition.refresh(stop);
      const entry = partition.index.get(name);
      if (entry === undefined) return;
      // The head first, and for good: an object that has lost chunks only would look damaged.
      await this.send(name, [{ key: headKey(name), value: null }], stop);
      const chunks = entry.chunks.map((_, i) => ({ key: chunkKey(name, entry.head.id, i), value: null }));
      await this.send(name, [...chunks, ...this.garbageBeside(name)], stop);
    });
  }

  async close(): Promise<void> {
    this.stopped.abort(new ObjectStoreError('OBJECTS_IO', 'the object store is closed'));
    await (await this.producer)?.close();
  }

  private partitionOf(name: string): ObjectPartition {
    const place = name.split('/').slice(0, PLACE_PARTS).join('/');
    return this.partitions[partitionOfKey(Buffer.from(place), this.partitions.length)] as ObjectPartition;
  }

  private garbageBeside(name: string): Pick<OutgoingRecord, 'key' | 'value'>[] {
    const garbage = this.partitionOf(name).index.garbage(this.clock.now() - STRAY_MS);
    return garbage.slice(0, GARBAGE_MAX).map((g) => ({ key: chunkKey(g.name, g.id, g.index), value: null }));
  }

  private async send(
    name: string,
    records: readonly Pick<OutgoingRecord, 'key' | 'value'>[],
    stop: AbortSignal,
  ): Promise<void> {
    stop.throwIfAborted();
    if (records.length === 0) return;
    this.producer ??= this.log.producer();
    const { at } = this.partitionOf(name);
    await (await this.producer).send(records.map((record) => ({ ...at, ...record })));
  }

  /** `undefined`: it is not there whole. */
  private async contentOf(
    partition: ObjectPartition,
    { head, offset, chunks }: Entry,
    stop: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const offsets = head.chunks === 0 ? [offset] : chunks;
    if (!offsets.every((one) => one !== undefined)) return undefined;
    const values = await partition.values(offsets, stop);
    if (!values.every((value) => value !== undefined)) return undefined;
    const inHead = head.chunks === 0 ? decodeHead(values[0] as Uint8Array)?.content : undefined;
    const content = Buffer.concat(inHead === undefined ? values : [inHead]);
    return isContent(head, content) ? content : undefined;
  }

  /** Ends when `signal` aborts or the store is closed, also where the log does not answer. */
  private async during<T>(
    what: string,
    signal: AbortSignal | undefined,
    act: (stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const stop = signal === undefined ? this.stopped.signal : AbortSignal.any([signal, this.stopped.signal]);
    stop.throwIfAborted();
    let abort: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(stop.reason as Error);
    });
    stop.addEventListener('abort', abort);
    try {
      return await Promise.race([act(stop), aborted]);
    } catch (error) {
      throw stop.aborted ? stop.reason : asObjectError(error, what);
    } finally {
      stop.removeEventListener('abort', abort);
    }
  }
}
