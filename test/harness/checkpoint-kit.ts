import { CheckpointedStore } from '../../src/runtime/checkpoint/checkpointed-store.js';
import type { CheckpointListener, CheckpointOptions } from '../../src/runtime/checkpoint/options.js';
import { MemoryStateStore } from '../../src/runtime/memory/memory-state-store.js';
import { assertObjectName } from '../../src/runtime/object-name.js';
import type { TopicPartition } from '../../src/runtime/ports/log.js';
import type { ObjectStore } from '../../src/runtime/ports/object-store.js';
import type { PartitionState, StateBatch, StateStore } from '../../src/runtime/ports/state-store.js';
import { ManualClock } from '../../src/runtime/testing/manual-clock.js';

export const P: TopicPartition = { topic: 'payments', partition: 3 };
export const INTERVAL = 30_000;
export const PAUSE = 5000;
export const TIMEOUT = 120_000;

/** The object store in memory, but it can be looked into and disturbed. */
export class Objects implements ObjectStore {
  readonly bytes = new Map<string, Uint8Array>();
  readonly deleted: string[] = [];
  /** Called before each operation; what it throws, the operation throws; what it waits for, the operation waits for. */
  disturb: (operation: 'put' | 'get' | 'list' | 'delete', name: string) => Promise<void> | void = () => undefined;

  async put(name: string, bytes: Uint8Array): Promise<void> {
    assertObjectName(name);
    await this.disturb('put', name);
    this.bytes.set(name, Uint8Array.from(bytes));
  }

  async get(name: string): Promise<Uint8Array | null> {
    await this.disturb('get', name);
    return this.bytes.get(name) ?? null;
  }

  async list(prefix: string): Promise<readonly string[]> {
    await this.disturb('list', prefix);
    return [...this.bytes.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async delete(name: string): Promise<void> {
    await this.disturb('delete', name);
    if (this.bytes.delete(name)) this.deleted.push(name);
  }

  async close(): Promise<void> {}

  /** What comes after the last slash, of names with this in them. */
  names(kind: string): string[] {
    return [...this.bytes.keys()].map((name) => name.slice(name.lastIndexOf('/') + 1)).filter((n) => n.includes(kind));
  }

  /** Changes one byte of every object whose name has this in it. */
  damage(kind: string): void {
    for (const [name, bytes] of this.bytes) {
      if (!name.includes(kind)) continue;
      const at = bytes.length >> 1;
      this.bytes.set(
        name,
        bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      );
    }
  }
}

/** A process with a state store of its own. */
export class Machine {
  readonly clock = new ManualClock(1_000_000);
  readonly reports: string[] = [];
  readonly events: string[] = [];
  readonly store: CheckpointedStore;

  constructor(
    readonly objects: ObjectStore,
    writer: string,
    readonly inner: StateStore = new MemoryStateStore(),
    options: Partial<CheckpointOptions> = {},
  ) {
    this.store = new CheckpointedStore({
      ...{ inner, objects, clock: this.clock, group: 'g', writer, compression: null },
      ...{ intervalMs: INTERVAL, minPauseMs: PAUSE, timeoutMs: TIMEOUT, tolerated: 2, retained: 3 },
      positionOf: (cut) => Number(text(cut)),
      turn: async () => undefined,
      report: (line) => this.reports.push(line),
      listener: this.listener(),
      ...options,
    });
  }

  /** Moves the clock on, and waits until everything that follows has happened. */
  async pass(ms: number): Promise<void> {
    await idle();
    this.clock.advance(ms);
    await idle();
  }

  private listener(): CheckpointListener {
    return {
      onCheckpoint: (_, { kind, position }) => this.events.push(`${kind} ${position}`),
      onFailure: () => this.events.push('failed'),
      onDegraded: () => this.events.push('degraded'),
      onRecovered: () => this.events.push('recovered'),
    };
  }
}

/** All that moves by promises alone has come to rest. */
export function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);
export const text = (content: Uint8Array | null): string | null =>
  content === null ? null : new TextDecoder().decode(content);

/** A batch whose cut is its position; `null`: the key goes. */
export function batch(position: number, changes: Readonly<Record<string, string | null>>): StateBatch {
  const all = Object.entries(changes);
  return {
    position,
    cut: bytes(String(position)),
    puts: all.flatMap(([key, value]) => (value === null ? [] : [{ key: bytes(key), value: bytes(value) }])),
    deletes: all.flatMap(([key, value]) => (value === null ? [bytes(key)] : [])),
  };
}

/** Cut and entries. */
export async function contents(state: PartitionState): Promise<{ cut: string | null; keys: Record<string, string> }> {
  const keys: Record<string, string> = {};
  for await (const { key, value } of state.entries()) keys[text(key)!] = text(value)!;
  return { cut: text(await state.cut()), keys };
}
