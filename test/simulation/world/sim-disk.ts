import { partitionName, type TopicPartition } from '../../../src/runtime/ports/log.js';
import {
  type PartitionState,
  type StateBatch,
  type StateEntry,
  type StateStore,
  StateStoreError,
} from '../../../src/runtime/ports/state-store.js';
import type { Chance } from './chance.js';
import type { SimProcess } from './sim-process.js';

interface Contents {
  readonly cut: Uint8Array | null;
  /** By the key's bytes in hexadecimal, whose order is that of the bytes. */
  readonly entries: ReadonlyMap<string, StateEntry>;
}

const EMPTY: Contents = { cut: null, entries: new Map() };

/** The state folder of one machine. It outlives processes; a write happens whole at one moment, or not at all. */
export class SimDisk {
  private contents = new Map<string, Contents>();
  private readonly past: Map<string, Contents>[] = [];

  constructor(
    /** Looks at what is about to be stored. */
    private readonly inspect: (partition: TopicPartition, batch: StateBatch) => void,
  ) {}

  of(partition: TopicPartition): Contents {
    return this.contents.get(partitionName(partition)) ?? EMPTY;
  }

  write(partition: TopicPartition, batch: StateBatch): void {
    this.inspect(partition, batch);
    const entries = new Map(this.of(partition).entries);
    for (const key of batch.deletes) entries.delete(hex(key));
    for (const { key, value } of batch.puts) entries.set(hex(key), { key: copy(key), value: copy(value) });
    this.put(partition, { cut: copy(batch.cut), entries });
  }

  clear(partition: TopicPartition): void {
    this.put(partition, EMPTY);
  }

  lose(): void {
    this.contents = new Map();
  }

  /** Puts back the whole folder as it was before some write. */
  goBack(chance: Chance): void {
    if (this.past.length > 0) this.contents = chance.pick(this.past);
  }

  private put(partition: TopicPartition, contents: Contents): void {
    this.past.push(this.contents);
    this.contents = new Map(this.contents).set(partitionName(partition), contents);
  }
}

/** The folder as one process sees it. */
export class SimStore implements StateStore {
  constructor(
    private readonly disk: SimDisk,
    private readonly process: SimProcess,
  ) {}

  async partition({ topic, partition }: TopicPartition): Promise<PartitionState> {
    return new SimState(this.disk, this.process, { topic, partition });
  }

  async close(): Promise<void> {}
}

class SimState implements PartitionState {
  constructor(
    private readonly disk: SimDisk,
    private readonly process: SimProcess,
    private readonly of: TopicPartition,
  ) {}

  cut(): Promise<Uint8Array | null> {
    const act = async () => copyOrNull(this.disk.of(this.of).cut);
    return this.process.request({ effect: 'read', local: true, act });
  }

  async *entries(): AsyncIterable<StateEntry> {
    const act = async () => [...this.disk.of(this.of).entries].sort(([a], [b]) => (a < b ? -1 : 1));
    const entries = await this.process.request({ effect: 'read', local: true, act });
    for (const [, { key, value }] of entries) yield { key: copy(key), value: copy(value) };
  }

  write(batch: StateBatch): Promise<void> {
    return this.change('state write', () => this.disk.write(this.of, batch));
  }

  clear(): Promise<void> {
    return this.change('state clear', () => this.disk.clear(this.of));
  }

  private change(effect: 'state write' | 'state clear', act: () => void): Promise<void> {
    const refusal = () => {
      this.process.fatalFaults++;
      return new StateStoreError('STATE_IO', 'the disk does not answer');
    };
    return this.process.request({ effect, local: true, act: async () => act(), refusal });
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const copy = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes);
const copyOrNull = (bytes: Uint8Array | null): Uint8Array | null => bytes && copy(bytes);
