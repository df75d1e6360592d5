import type { MemoryObjectStore } from '../../../src/runtime/memory/memory-object-store.js';
import { type ObjectStore, ObjectStoreError } from '../../../src/runtime/ports/object-store.js';
import type { SimProcess } from './sim-process.js';

/** The place for copies of the state, as one process sees it, over a network. */
export class SimObjects implements ObjectStore {
  constructor(
    private readonly objects: MemoryObjectStore,
    private readonly process: SimProcess,
  ) {}

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.ask(() => this.objects.put(name, bytes));
  }

  get(name: string): Promise<Uint8Array | null> {
    return this.ask(() => this.objects.get(name));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.ask(() => this.objects.list(prefix));
  }

  delete(name: string): Promise<void> {
    return this.ask(() => this.objects.delete(name));
  }

  async close(): Promise<void> {}

  private ask<T>(act: () => Promise<T>): Promise<T> {
    const refusal = () => {
      this.process.fatalFaults++;
      return new ObjectStoreError('OBJECTS_AWAY', 'the bucket does not answer');
    };
    return this.process.request({ effect: 'copy', act, refusal });
  }
}
