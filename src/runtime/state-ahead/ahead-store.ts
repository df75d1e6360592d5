import { blocksOf, type EntryBlock } from '../ports/entry-block.js';
import { partitionName, type TopicPartition } from '../ports/log.js';
import type { PartitionState, StateBatch, StateEntry, StateStore } from '../ports/state-store.js';
import { Reading } from './reading.js';

/**
 * A state store that can be told to read a partition before anybody wants to have it: the blocks wait in memory for the one who does.
 *
 * Invariants
 * 1. What waits is what the store has: it is thrown away by the first write, by `clear`, and when the partition is given up.
 * 2. It is given out once, whole or not at all; a second listing reads the store.
 * 3. Blocks that wait, and those that are being read, take at most `bytesMax`, and a block.
 */
export class AheadStore implements StateStore {
  private readonly readings = new Map<string, Reading>();

  constructor(
    private readonly inner: StateStore,
    private readonly bytesMax: number,
  ) {}

  async partition(partition: TopicPartition): Promise<PartitionState> {
    const name = partitionName(partition);
    const take = () => {
      const reading = this.readings.get(name);
      this.readings.delete(name);
      return reading;
    };
    return new AheadState(await this.inner.partition(partition), take);
  }

  /** Reads what there is of a partition. Resolves when it is all there, or when there is no room for more. */
  async readAhead(partition: TopicPartition): Promise<void> {
    const name = partitionName(partition);
    if (this.readings.has(name)) return;
    const state = await this.inner.partition(partition);
    if ((await state.cut()) === null) return;
    const reading = new Reading(blocksOf(state.entries()));
    this.readings.set(name, reading);
    const isFull = () => [...this.readings.values()].reduce((sum, { bytes }) => sum + bytes, 0) > this.bytesMax;
    await reading.run(() => this.readings.get(name) === reading && isFull());
    if (!reading.isWhole && this.readings.get(name) === reading) this.readings.delete(name);
  }

  /** Bytes that wait. */
  get bytesAhead(): number {
    return [...this.readings.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Throws away what nobody came for. */
  forget(): void {
    for (const reading of this.readings.values()) reading.stop();
    this.readings.clear();
  }

  async close(): Promise<void> {
    this.forget();
    await this.inner.close();
  }
}

class AheadState implements PartitionState {
  readonly restoreCopy?: (atOrBefore: number) => Promise<boolean>;

  constructor(
    private readonly inner: PartitionState,
    private readonly take: () => Reading | undefined,
  ) {}

  cut(): Promise<Uint8Array | null> {
    return this.inner.cut();
  }

  entries(): AsyncIterable<StateEntry> {
    return this.inner.entries();
  }

  async *blocks(): AsyncIterable<EntryBlock> {
    const reading = this.take();
    if (reading === undefined || !(yield* reading.blocks())) yield* blocksOf(this.inner.entries());
  }

  write(batch: StateBatch): Promise<void> {
    this.take()?.stop();
    return this.inner.write(batch);
  }

  clear(): Promise<void> {
    this.take()?.stop();
    return this.inner.clear();
  }

  async release(): Promise<void> {
    this.take()?.stop();
    await this.inner.release?.();
  }
}
