import type { MessagePort } from 'node:worker_threads';
import { pack, unpack } from '../../../runtime/packed.js';
import { blocksOf } from '../../../runtime/ports/entry-block.js';
import { FencedError, partitionName, type TopicPartition } from '../../../runtime/ports/log.js';
import type { PartitionState, StateStore } from '../../../runtime/ports/state-store.js';
import { CHUNKS_AHEAD, type ListingControl, type StateAnswer, type StateRequest } from './state-messages.js';
import { toWire } from './wire-error.js';

type Value = Extract<StateAnswer, { kind: 'result' }>['value'];

/** A partition's state, and the lane that may use it. */
interface Held {
  state: PartitionState | null;
  owner: Connection | null;
  /** Ends when everything that was asked of the partition before is done. Never rejects. */
  queue: Promise<unknown>;
}

/** The end of one lane's port. */
export interface StateConnection {
  /** Ends its listings and gives up its partitions, after what it had asked for is done. Resolves then. */
  close(): Promise<void>;
}

/**
 * Serves one state store to the lanes of this process, each over a port of its own (`RemoteStateStore` is the other end).
 *
 * 1. What is asked of one partition is done one after the other, whichever lane asks; a listing takes its turn until its first
 *    chunk is read, from where on the store keeps it to its cut.
 * 2. A partition belongs to the lane that opened it last. Whatever an earlier one still asks fails with `FencedError` and changes
 *    nothing: a late batch over a newer cut would be no consistent state.
 */
export class StateServer {
  private readonly partitions = new Map<string, Held>();

  constructor(private readonly store: StateStore) {}

  serve(port: MessagePort): StateConnection {
    return new Connection(port, this);
  }

  /** Makes the partition `owner`'s. */
  claim(partition: TopicPartition, owner: Connection): Promise<PartitionState> {
    return this.inTurn(partition, async (held) => {
      held.state = await this.store.partition(partition);
      held.owner = owner;
      return held.state;
    });
  }

  /** Acts on a partition that is `owner`'s, in turn. */
  act<T>(partition: TopicPartition, owner: Connection, action: (state: PartitionState) => Promise<T>): Promise<T> {
    return this.inTurn(partition, (held) => {
      if (held.owner !== owner || held.state === null) {
        throw new FencedError(`the state of ${partitionName(partition)} belongs to another lane by now`);
      }
      return action(held.state);
    });
  }

  release(partition: TopicPartition, owner: Connection): Promise<void> {
    return this.act(partition, owner, async (state) => {
      this.partitions.get(partitionName(partition))!.owner = null;
      await state.release?.();
    });
  }

  /** Gives up all that is still `owner`'s. */
  async releaseAll(owner: Connection): Promise<void> {
    const releases = [...this.partitions.values()].map((held) =>
      this.next(held, async () => {
        if (held.owner !== owner) return;
        held.owner = null;
        await held.state?.release?.();
      }),
    );
    // A partition that cannot be released is told to whoever opens it next.
    await Promise.allSettled(releases);
  }

  private inTurn<T>(partition: TopicPartition, action: (held: Held) => Promise<T>): Promise<T> {
    const name = partitionName(partition);
    const held = this.partitions.get(name) ?? { state: null, owner: null, queue: Promise.resolve() };
    this.partitions.set(name, held);
    return this.next(held, () => action(held));
  }

  private next<T>(held: Held, action: () => Promise<T>): Promise<T> {
    const done = held.queue.then(action);
    held.queue = done.catch(() => undefined);
    return done;
  }
}

class Connection implements StateConnection {
  private readonly listings = new Map<number, Sending>();
  private closing: Promise<void> | null = null;

  constructor(
    private readonly port: MessagePort,
    private readonly server: StateServer,
  ) {
    port.on('message', (message: StateRequest | ListingControl) => this.take(message));
    port.on('close', () => void this.close());
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    for (const listing of this.listings.values()) listing.stop();
    this.port.close();
    await this.server.releaseAll(this);
  }

  private take(message: StateRequest | ListingControl): void {
    if ('partition' in message) void this.answer(message);
    else if (message.op === 'more') this.listings.get(message.id)?.more();
    else this.listings.get(message.id)?.stop();
  }

  private async answer(request: StateRequest): Promise<void> {
    const { id } = request;
    try {
      if (request.op === 'list') await this.list(request);
      else this.send({ id, kind: 'result', value: await this.perform(request) });
    } catch (error) {
      this.send({ id, kind: 'error', error: toWire(error) });
    }
  }

  private async perform(request: Exclude<StateRequest, { op: 'list' }>): Promise<Value> {
    const { partition } = request;
    const act = <T>(action: (state: PartitionState) => Promise<T>) => this.server.act(partition, this, action);
    switch (request.op) {
      case 'open':
        return { copies: (await this.server.claim(partition, this)).restoreCopy !== undefined };
      case 'cut':
        return act((state) => state.cut());
      case 'clear':
        return act((state) => state.clear().then(() => null));
      case 'forgetCopies':
        return act(async (state) => {
          await (state.forgetCopies?.() ?? state.clear());
          return null;
        });
      case 'newestCopy':
        return act(async (state) => (await state.newestCopy?.(request.atOrBefore)) ?? null);
      case 'release':
        return this.server.release(partition, this).then(() => null);
      case 'restoreCopy':
        return act((state) => state.restoreCopy!(request.atOrBefore));
      case 'write':
        return act((state) => state.write(batchOf(request)).then(() => null));
    }
  }

  private async list({ id, partition }: Extract<StateRequest, { op: 'list' }>): Promise<void> {
    const sending = new Sending();
    this.listings.set(id, sending);
    try {
      const chunks = await this.server.act(partition, this, async (state) => {
        const all = (state.blocks?.() ?? blocksOf(state.entries()))[Symbol.asyncIterator]();
        return { all, first: await all.next() };
      });
      for (let next = chunks.first; !next.done; next = await chunks.all.next()) {
        if (!(await sending.allowed())) {
          await chunks.all.return?.();
          return;
        }
        const { packed } = next.value;
        this.send({ id, kind: 'entries', packed, last: false }, [packed]);
      }
      const end = pack([]);
      this.send({ id, kind: 'entries', packed: end, last: true }, [end]);
    } finally {
      this.listings.delete(id);
    }
  }

  private send(answer: StateAnswer, moved: readonly ArrayBuffer[] = []): void {
    if (this.closing === null) this.port.postMessage(answer, moved);
  }
}

/** How many chunks of a listing may be sent at present. */
class Sending {
  private credit = CHUNKS_AHEAD;
  private stopped = false;
  private wake: () => void = () => undefined;

  more(): void {
    this.credit++;
    this.wake();
  }

  stop(): void {
    this.stopped = true;
    this.wake();
  }

  /** Waits until one more chunk may be sent; `false`: no more are wanted. */
  async allowed(): Promise<boolean> {
    while (this.credit === 0 && !this.stopped) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.credit--;
    return !this.stopped;
  }
}

function batchOf(request: Extract<StateRequest, { op: 'write' }>) {
  const { position, puts } = request;
  const [cut, ...parts] = unpack(request.packed);
  const pairs = 2 * puts;
  return {
    position,
    cut: cut!,
    puts: Array.from({ length: puts }, (_, index) => ({ key: parts[2 * index]!, value: parts[2 * index + 1]! })),
    deletes: parts.slice(pairs),
  };
}
