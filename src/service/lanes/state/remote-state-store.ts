import type { MessagePort } from 'node:worker_threads';
import { pack } from '../../../runtime/packed.js';
import { EntryBlock } from '../../../runtime/ports/entry-block.js';
import type { TopicPartition } from '../../../runtime/ports/log.js';
import {
  type PartitionState,
  type StateBatch,
  type StateEntry,
  type StateStore,
  StateStoreError,
} from '../../../runtime/ports/state-store.js';
import type { ListingControl, Opened, StateAnswer, StateRequest } from './state-messages.js';
import { fromWire } from './wire-error.js';

type Value = Extract<StateAnswer, { kind: 'result' }>['value'];
type Body = StateRequest extends infer R ? (R extends StateRequest ? Omit<R, 'id'> : never) : never;

interface Waiting {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The state store of the main thread, seen from a lane's thread: a folder of RocksDB is opened once in a process. The other side
 * is `StateServer`.
 *
 * 1. Requests are answered in order for each partition; their errors keep class, code and message.
 * 2. A batch crosses as one buffer that is moved, not copied; what was given may be reused as soon as the call returned.
 * 3. A listing has at most `CHUNKS_AHEAD` chunks on their way.
 * 4. When the other side is gone every call fails with `STATE_IO`, those under way too.
 */
export class RemoteStateStore implements StateStore {
  private readonly waiting = new Map<number, Waiting>();
  private readonly listings = new Map<number, Listing>();
  private lastId = 0;
  private closed = false;
  private idle: (() => void) | null = null;

  constructor(private readonly port: MessagePort) {
    port.on('message', (answer: StateAnswer) => this.answered(answer));
    port.on('close', () => this.gone());
  }

  async partition(partition: TopicPartition): Promise<PartitionState> {
    const { topic, partition: number } = partition;
    const own: TopicPartition = { topic, partition: number };
    const { copies } = (await this.call({ op: 'open', partition: own })) as Opened;
    return new RemotePartition(this, own, copies);
  }

  /** Waits for the calls under way, but for listings. The store itself goes on in the main thread. */
  async close(): Promise<void> {
    if (this.waiting.size > 0 && !this.closed) {
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
    }
    this.gone();
    this.port.close();
  }

  call(body: Body): Promise<Value> {
    if (this.closed) return Promise.reject(closedError());
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const id = ++this.lastId;
    this.waiting.set(id, { resolve, reject });
    this.port.postMessage({ id, ...body }, body.op === 'write' ? [body.packed] : []);
    return promise;
  }

  list(partition: TopicPartition): Listing {
    if (this.closed) throw closedError();
    const id = ++this.lastId;
    const listing = new Listing((op) => {
      if (op === 'enough') this.listings.delete(id);
      if (!this.closed) this.port.postMessage({ id, op } satisfies ListingControl);
    });
    this.listings.set(id, listing);
    this.port.postMessage({ id, op: 'list', partition } satisfies StateRequest);
    return listing;
  }

  private answered(answer: StateAnswer): void {
    const { id } = answer;
    const listing = this.listings.get(id);
    if (listing !== undefined) {
      listing.take(answer);
      if (answer.kind !== 'entries' || answer.last) this.listings.delete(id);
      return;
    }
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (answer.kind === 'error') waiting?.reject(fromWire(answer.error));
    else if (answer.kind === 'result') waiting?.resolve(answer.value);
    if (this.waiting.size === 0) this.idle?.();
  }

  private gone(): void {
    if (this.closed) return;
    this.closed = true;
    for (const { reject } of this.waiting.values()) reject(closedError());
    for (const listing of this.listings.values()) listing.fail(closedError());
    this.waiting.clear();
    this.listings.clear();
    this.idle?.();
  }
}

class RemotePartition implements PartitionState {
  readonly restoreCopy?: (atOrBefore: number) => Promise<boolean>;
  readonly newestCopy?: (atOrBefore: number) => Promise<number | null>;
  readonly forgetCopies?: () => Promise<void>;

  constructor(
    private readonly store: RemoteStateStore,
    private readonly partition: TopicPartition,
    copies: boolean,
  ) {
    if (!copies) return;
    this.restoreCopy = async (atOrBefore) =>
      (await store.call({ op: 'restoreCopy', partition, atOrBefore })) as boolean;
    this.newestCopy = async (atOrBefore) =>
      (await store.call({ op: 'newestCopy', partition, atOrBefore })) as number | null;
    this.forgetCopies = async () => void (await store.call({ op: 'forgetCopies', partition }));
  }

  async cut(): Promise<Uint8Array | null> {
    return (await this.store.call({ op: 'cut', partition: this.partition })) as Uint8Array | null;
  }

  async *entries(): AsyncIterable<StateEntry> {
    for await (const block of this.blocks()) yield* block;
  }

  async *blocks(): AsyncIterable<EntryBlock> {
    const listing = this.store.list(this.partition);
    try {
      for (;;) {
        const chunk = await listing.next();
        if (chunk === null) return;
        const block = new EntryBlock(chunk);
        if (block.count > 0) yield block;
      }
    } finally {
      listing.end();
    }
  }

  async write({ position, cut, puts, deletes }: StateBatch): Promise<void> {
    const packed = pack([cut, ...puts.flatMap(({ key, value }) => [key, value]), ...deletes]);
    await this.store.call({ op: 'write', partition: this.partition, position, puts: puts.length, packed });
  }

  async clear(): Promise<void> {
    await this.store.call({ op: 'clear', partition: this.partition });
  }

  async release(): Promise<void> {
    await this.store.call({ op: 'release', partition: this.partition });
  }
}

/** The chunks of one listing, as they come in. */
class Listing {
  private readonly chunks: ArrayBuffer[] = [];
  private complete = false;
  private error: Error | null = null;
  private arrived: () => void = () => undefined;

  constructor(private readonly control: (op: ListingControl['op']) => void) {}

  take(answer: StateAnswer): void {
    if (answer.kind === 'entries') {
      this.chunks.push(answer.packed);
      this.complete = answer.last;
      this.arrived();
    } else if (answer.kind === 'error') {
      this.fail(fromWire(answer.error));
    }
  }

  fail(error: Error): void {
    this.error = error;
    this.arrived();
  }

  /** `null` after the last. */
  async next(): Promise<ArrayBuffer | null> {
    while (this.chunks.length === 0) {
      if (this.error !== null) throw this.error;
      if (this.complete) return null;
      await new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
    }
    const chunk = this.chunks.shift()!;
    if (!this.complete) this.control('more');
    return chunk;
  }

  /** No more is wanted; nothing happens when all has come. */
  end(): void {
    if (!this.complete && this.error === null) this.control('enough');
  }
}

function closedError(): StateStoreError {
  return new StateStoreError('STATE_IO', 'the state store in the main thread is closed');
}
