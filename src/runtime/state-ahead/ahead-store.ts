import { blocksOf, type EntryBlock } from '../ports/entry-block.js';
import { partitionName, type TopicPartition } from '../ports/log.js';
import type { PartitionState, StateBatch, StateEntry, StateStore } from '../ports/state-store.js';
import { Reading } from './reading.js';

/**
 * A state store that can be told to read a partition before anybody wants to have it: the blocks wait in memory for the one who does.
 *
 * Invariants
 * 1. What waits is what the store has: while a copy is put into its partition it changes as the store does; else it is thrown away by the first
 *    write, by `clear`, and when the partition is given up.
 * 2. It is given out once, whole or not at all; a second listing reads the store.
 * 3. Blocks that wait, and those that are being read, take at most `bytesMax`, and a batch or a block.
 */
export class AheadStore implements StateStore {
  private readonly readings = new Map<string, Reading>();
  private readonly copied = new Set<string>();
  /** There was no room for them, and none was made since. */
  private readonly tooLarge = new Set<string>();

  /** `turn`: lets other work go on. */
  constructor(
    private readonly inner: StateStore,
    private readonly bytesMax: number,
    private readonly turn: () => Promise<void>,
  ) {}

  async partition(partition: TopicPartition): Promise<PartitionState> {
    const name = partitionName(partition);
    return new AheadState(await this.inner.partition(partition), {
      take: () => this.take(name),
      writes: () => {
        if (!this.keepsUp(name)) this.take(name)?.stop();
      },
      written: (batch) => this.written(name, batch),
      cleared: () => this.cleared(name),
    });
  }

  /** Reads what there is of a partition, if it was not. Resolves when it is all there, or when there is no room for more. */
  async readAhead(partition: TopicPartition): Promise<void> {
    const name = partitionName(partition);
    const known = this.readings.get(name);
    if (known !== undefined) {
      if (known.isWhole) await known.settle();
      return;
    }
    const state = await this.inner.partition(partition);
    if (this.tooLarge.has(name) || (await state.cut()) === null) return;
    const reading = new Reading(this.turn);
    this.readings.set(name, reading);
    let isFull = false;
    await reading.run(blocksOf(state.entries()), () => {
      isFull = this.isFull;
      return isFull;
    });
    if (reading.isWhole || this.readings.get(name) !== reading) return;
    this.readings.delete(name);
    if (isFull) this.tooLarge.add(name);
  }

  /**
   * What waits of a partition is kept up with what `copy` writes to it, and where that is all there is, it need not be read again. What
   * is written at other times would be kept for nobody: who changes a partition has read it.
   */
  async whileCopied<T>(partition: TopicPartition, copy: () => Promise<T>): Promise<T> {
    const name = partitionName(partition);
    this.copied.add(name);
    try {
      return await copy();
    } finally {
      this.copied.delete(name);
    }
  }

  /** Bytes that wait. */
  get bytesAhead(): number {
    return [...this.readings.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Throws away what nobody came for. */
  forget(): void {
    for (const reading of this.readings.values()) reading.stop();
    this.readings.clear();
    this.tooLarge.clear();
  }

  async close(): Promise<void> {
    this.forget();
    await this.inner.close();
  }

  private get isFull(): boolean {
    return this.bytesAhead > this.bytesMax;
  }

  private take(name: string): Reading | undefined {
    const reading = this.readings.get(name);
    if (this.readings.delete(name)) this.tooLarge.clear();
    return reading;
  }

  private hasNoRoom(name: string): void {
    this.readings.get(name)?.stop();
    this.readings.delete(name);
    this.tooLarge.add(name);
  }

  private keepsUp(name: string): boolean {
    return this.copied.has(name) && this.readings.get(name)?.isWhole === true;
  }

  private async written(name: string, batch: StateBatch): Promise<void> {
    if (!this.keepsUp(name)) return;
    await this.readings.get(name)!.change(batch);
    if (this.isFull) this.hasNoRoom(name);
  }

  private cleared(name: string): void {
    this.take(name)?.stop();
    if (this.copied.has(name)) this.readings.set(name, Reading.ofNothing(this.turn));
  }
}

/** What is done to a partition, to be told of it. */
interface Changed {
  /** What waits is given up, or given out. */
  take(): Reading | undefined;
  writes(): void;
  written(batch: StateBatch): Promise<void>;
  cleared(): void;
}

class AheadState implements PartitionState {
  constructor(
    private readonly inner: PartitionState,
    private readonly changed: Changed,
  ) {}

  cut(): Promise<Uint8Array | null> {
    return this.inner.cut();
  }

  entries(): AsyncIterable<StateEntry> {
    return this.inner.entries();
  }

  async *blocks(): AsyncIterable<EntryBlock> {
    const reading = this.changed.take();
    if (reading === undefined || !(yield* reading.blocks())) yield* blocksOf(this.inner.entries());
  }

  async write(batch: StateBatch): Promise<void> {
    this.changed.writes();
    try {
      await this.inner.write(batch);
    } catch (error) {
      this.changed.take()?.stop();
      throw error;
    }
    await this.changed.written(batch);
  }

  async clear(): Promise<void> {
    // While it is being cleared it is neither what it was nor nothing.
    this.changed.take()?.stop();
    await this.inner.clear();
    this.changed.cleared();
  }

  async release(): Promise<void> {
    this.changed.take()?.stop();
    await this.inner.release?.();
  }
}
