import type {
  AssignedPartition,
  GroupListener,
  LogRecord,
  RecordBatch,
  TopicPartition,
} from '../../src/runtime/ports/log.js';
import { partitionName } from '../../src/runtime/ports/log.js';

export interface ReceivedRecord extends TopicPartition {
  readonly record: LogRecord;
  /** The value as UTF-8; an empty string for null. */
  readonly text: string;
}

/** What a test wants a member to do besides recording. */
export interface ListenerHooks {
  onAssigned?(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<string, number> | undefined>;
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void>;
  onLost?(partitions: readonly TopicPartition[]): Promise<void>;
  onBatch?(batch: RecordBatch): Promise<void> | void;
}

/** A group listener that writes down all it is told, then does what its hooks say. */
export class RecordingListener implements GroupListener {
  readonly assigned: AssignedPartition[] = [];
  readonly batches: RecordBatch[] = [];
  readonly received: ReceivedRecord[] = [];
  readonly fatal: Error[] = [];
  /** In order: `assigned t-0`, `revoking t-0`, `revoked t-0` (after the hook), `lost t-0`. */
  readonly journal: string[] = [];
  /** Names of the partitions held now. */
  readonly held = new Set<string>();
  /** Next offset by partition, from the batches seen. */
  readonly positions = new Map<string, number>();

  constructor(
    private readonly hooks: ListenerHooks = {},
    /** Journal shared by several members; each entry is then prefixed with this member's name. */
    private readonly shared?: { readonly name: string; readonly journal: string[] },
  ) {}

  async onAssigned(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<string, number> | undefined> {
    this.assigned.push(...partitions);
    this.note('assigned', partitions);
    for (const p of partitions) {
      this.held.add(partitionName(p));
    }
    return await this.hooks.onAssigned?.(partitions);
  }

  async onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    this.note('revoking', partitions);
    await this.hooks.onRevoked?.(partitions);
    this.drop(partitions);
    this.note('revoked', partitions);
  }

  async onLost(partitions: readonly TopicPartition[]): Promise<void> {
    this.drop(partitions);
    this.note('lost', partitions);
    await this.hooks.onLost?.(partitions);
  }

  async onBatch(batch: RecordBatch): Promise<void> {
    this.batches.push(batch);
    for (const record of batch.records) {
      const text = record.value === null ? '' : new TextDecoder().decode(record.value);
      this.received.push({ topic: batch.topic, partition: batch.partition, record, text });
    }
    await this.hooks.onBatch?.(batch);
    this.positions.set(partitionName(batch), batch.nextOffset);
  }

  onTrouble(): void {}

  onRecovered(): void {}

  onFatal(error: Error): void {
    this.fatal.push(error);
  }

  /** The values received, in order of arrival, of one partition or of all. */
  texts(partition?: number): string[] {
    return this.received.filter((r) => partition === undefined || r.partition === partition).map((r) => r.text);
  }

  private drop(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) {
      this.held.delete(partitionName(p));
    }
  }

  private note(what: string, partitions: readonly TopicPartition[]): void {
    for (const p of partitions) {
      this.journal.push(`${what} ${partitionName(p)}`);
      this.shared?.journal.push(`${this.shared.name} ${what} ${partitionName(p)}`);
    }
  }
}

/** A door that stays shut until `open` is called. */
export class Gate {
  readonly passed: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.passed = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}
