import { MemoryStateStore } from '../../memory/memory-state-store.js';
import type { PartitionState, StateBatch, StateEntry } from '../../ports/state-store.js';
import type { ChunkSizes } from '../chunk-sizes.js';
import { ChunkedState } from '../chunked-state.js';

const P0 = { topic: 'rows', partition: 0 };

/** A store in memory with a partition, that can fail before or after it has written, and says what it was given. */
export class FailingStore {
  private readonly memory = new MemoryStateStore();
  fails: 'never' | 'before' | 'after' = 'never';
  batches: StateBatch[] = [];

  constructor(private readonly sizes: ChunkSizes) {}

  async open(): Promise<ChunkedState> {
    const inner = await this.inner();
    const failing: PartitionState = {
      cut: () => inner.cut(),
      entries: () => inner.entries(),
      clear: () => inner.clear(),
      write: async (batch) => {
        if (this.fails === 'before') throw new Error('not written');
        await inner.write(batch);
        this.batches.push(batch);
        if (this.fails === 'after') throw new Error('written, and nobody knows');
      },
    };
    return new ChunkedState(failing, async () => undefined, this.sizes);
  }

  /** The store without its failures, where states may lie in several entries. */
  inner(): Promise<PartitionState> {
    return this.memory.partition(P0);
  }

  async stored(): Promise<StateEntry[]> {
    return all((await this.inner()).entries());
  }
}

export async function all(entries: AsyncIterable<StateEntry>): Promise<StateEntry[]> {
  const found: StateEntry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

export const batchOf = (puts: readonly StateEntry[], deletes: readonly Uint8Array[] = []): StateBatch => ({
  ...{ position: 1, cut: new TextEncoder().encode('cut'), puts, deletes },
});
