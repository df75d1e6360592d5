import { assertObjectName } from '../object-name.js';
import type { ObjectStore } from '../ports/object-store.js';

/** The object port in memory, for tests and simulation: moves by promises only. Closing forgets nothing. */
export class MemoryObjectStore implements ObjectStore {
  private readonly objects = new Map<string, Uint8Array>();

  async put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    assertObjectName(name);
    this.objects.set(name, new Uint8Array(bytes));
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    signal?.throwIfAborted();
    const bytes = this.objects.get(name);
    return bytes === undefined ? null : new Uint8Array(bytes);
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    signal?.throwIfAborted();
    return [...this.objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async delete(name: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.objects.delete(name);
  }

  async close(): Promise<void> {}
}
