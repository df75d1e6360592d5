import { MemoryObjectStore } from '../../src/runtime/memory/memory-object-store.js';
import type { ObjectStore } from '../../src/runtime/ports/object-store.js';
import { ObjectStoreError } from '../../src/runtime/ports/object-store.js';
import type { PartitionState, StateStore } from '../../src/runtime/ports/state-store.js';
import { batch } from './checkpoint-kit.js';

/** What the keys of a partition are at each position: the same for everyone, as state follows from the records alone. */
export class History {
  private readonly changes: Record<string, string | null>[] = [{}];

  constructor(private readonly dice: (n: number) => number) {}

  /** The change from one position to a later one, as a batch. */
  between(from: number, to: number): ReturnType<typeof batch> {
    this.reach(to);
    return batch(to, Object.assign({}, ...this.changes.slice(from + 1, to + 1)) as Record<string, string | null>);
  }

  at(position: number): Record<string, string> {
    this.reach(position);
    const all = Object.assign({}, ...this.changes.slice(0, position + 1)) as Record<string, string | null>;
    return Object.fromEntries(
      Object.entries(all)
        .filter((entry): entry is [string, string] => entry[1] !== null)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }

  private reach(position: number): void {
    while (this.changes.length <= position) {
      const change: Record<string, string | null> = {};
      for (let i = this.dice(4); i >= 0; i--) {
        const value = `${this.changes.length} ${'x'.repeat(this.dice(60))}`;
        change[`key ${this.dice(12)}`] = this.dice(4) === 0 ? null : value;
      }
      this.changes.push(change);
    }
  }
}

/** The object store of all processes. Some operations fail, some never come back, some writes come back and land later all the same. */
export class UnsafeObjects {
  private readonly kept = new MemoryObjectStore();
  private readonly late: (() => void)[] = [];
  isCalm = false;

  constructor(private readonly dice: (n: number) => number) {}

  /** Writes that nobody waits for any more land. */
  landOne(): void {
    this.late.splice(this.dice(this.late.length + 1), 1)[0]?.();
  }

  readonly store: ObjectStore = {
    put: (name, bytes) => {
      const copy = Uint8Array.from(bytes);
      if (!this.isCalm && this.dice(25) === 0) {
        this.late.push(() => void this.kept.put(name, copy));
        return new Promise(() => undefined);
      }
      return this.disturbed(() => this.kept.put(name, copy));
    },
    get: (name) => this.disturbed(() => this.kept.get(name)),
    list: (prefix) => this.disturbed(() => this.kept.list(prefix)),
    delete: (name) => this.disturbed(() => this.kept.delete(name)),
    close: async () => undefined,
  };

  private async disturbed<T>(act: () => Promise<T>): Promise<T> {
    const what = this.isCalm ? 9 : this.dice(60);
    if (what === 0) throw new ObjectStoreError('OBJECTS_IO', 'it failed');
    if (what === 1) throw new ObjectStoreError('OBJECTS_AWAY', 'it is away');
    if (what === 2) return new Promise(() => undefined);
    const result = await act();
    // It has happened, but nobody hears of it.
    if (what === 3) throw new ObjectStoreError('OBJECTS_AWAY', 'no answer');
    return result;
  }
}

/** A process that dies at one of its effects on the outside, before or after it: nothing comes back from then on. */
export class Mortal {
  private steps = 0;
  private dead = false;
  readonly died: Promise<void>;
  private die: () => void = () => undefined;

  constructor(
    private readonly step: number,
    private readonly after: boolean,
  ) {
    this.died = new Promise((resolve) => {
      this.die = resolve;
    });
  }

  get isDead(): boolean {
    return this.dead;
  }

  kill(): void {
    this.dead = true;
    this.die();
  }

  objects(real: ObjectStore): ObjectStore {
    return {
      put: (name, bytes) => this.effect(() => real.put(name, bytes)),
      get: (name) => this.seen(() => real.get(name)),
      list: (prefix) => this.seen(() => real.list(prefix)),
      delete: (name) => this.effect(() => real.delete(name)),
      close: async () => undefined,
    };
  }

  store(real: StateStore): StateStore {
    return { partition: async (p) => this.state(await real.partition(p)), close: async () => undefined };
  }

  private state(real: PartitionState): PartitionState {
    return {
      cut: () => this.seen(() => real.cut()),
      entries: () => real.entries(),
      write: (b) => this.effect(() => real.write(b)),
      clear: () => this.effect(() => real.clear()),
    };
  }

  private seen<T>(act: () => Promise<T>): Promise<T> {
    return this.dead ? new Promise(() => undefined) : act();
  }

  private async effect<T>(act: () => Promise<T>): Promise<T> {
    const isLast = ++this.steps === this.step;
    if (isLast && !this.after) this.kill();
    if (this.dead) return new Promise(() => undefined);
    const result = await act();
    if (isLast) this.kill();
    return this.dead ? new Promise(() => undefined) : result;
  }
}
