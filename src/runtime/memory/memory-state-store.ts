import { partitionName, type TopicPartition } from '../ports/log.js';
import type { PartitionState, StateBatch, StateEntry, StateStore } from '../ports/state-store.js';

/** The state port in memory, for tests and simulation: moves by promises only. Closing forgets nothing. */
export class MemoryStateStore implements StateStore {
  private readonly partitions = new Map<string, MemoryPartitionState>();

  async partition(partition: TopicPartition): Promise<PartitionState> {
    const name = partitionName(partition);
    const state = this.partitions.get(name) ?? new MemoryPartitionState();
    this.partitions.set(name, state);
    return state;
  }

  async close(): Promise<void> {}
}

class MemoryPartitionState implements PartitionState {
  private lastCut: Uint8Array | null = null;
  /** Entries by their key's bytes in hexadecimal, whose order is that of the bytes. */
  private byKey = new Map<string, StateEntry>();

  async cut(): Promise<Uint8Array | null> {
    return this.lastCut && Buffer.from(this.lastCut);
  }

  async *entries(): AsyncIterable<StateEntry> {
    const entries = [...this.byKey].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, entry] of entries) {
      yield { key: Buffer.from(entry.key), value: Buffer.from(entry.value) };
    }
  }

  async write({ cut, puts, deletes }: StateBatch): Promise<void> {
    for (const key of deletes) {
      this.byKey.delete(Buffer.from(key).toString('hex'));
    }
    for (const { key, value } of puts) {
      const copy = Buffer.from(key);
      this.byKey.set(copy.toString('hex'), { key: copy, value: Buffer.from(value) });
    }
    this.lastCut = Buffer.from(cut);
  }

  async clear(): Promise<void> {
    this.byKey = new Map();
    this.lastCut = null;
  }
}
