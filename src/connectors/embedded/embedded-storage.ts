import type { LogStorage, PendingRecord } from '../../runtime/local-log/storage.js';
import {
  type OffsetCommit,
  partitionName,
  type TopicInfo,
  type TopicPartition,
  type TopicSpec,
} from '../../runtime/ports/log.js';
import { CommittedOffsets } from './committed-offsets.js';
import { LogFolder } from './folder/log-folder.js';
import { PartitionLog } from './partition/partition-log.js';
import type { PartitionSettings } from './partition/partition-settings.js';
import { TransactionLog } from './transaction/transaction-log.js';

/** Name of the committed offsets in transactions. */
const OFFSETS = 'offsets';

/** All topics of one folder, and the groups' offsets. */
export class EmbeddedStorage implements LogStorage {
  private readonly specs = new Map<string, TopicInfo>();
  private readonly partitions = new Map<string, PartitionLog>();
  private making: Promise<void> = Promise.resolve();
  private cancelCleaning: () => void = () => {};

  private constructor(
    private readonly folder: LogFolder,
    private readonly offsets: CommittedOffsets,
    private readonly transactions: TransactionLog,
    private readonly settings: PartitionSettings,
    private readonly cleaningIntervalMs: number,
  ) {}

  static async open(
    directory: string,
    settings: PartitionSettings,
    cleaningIntervalMs: number,
  ): Promise<EmbeddedStorage> {
    const folder = await LogFolder.open(directory);
    let offsets: CommittedOffsets | undefined;
    let storage: EmbeddedStorage | undefined;
    try {
      offsets = await CommittedOffsets.open(folder.offsets, settings);
      const transactions = await TransactionLog.open(folder.transactions, settings);
      storage = new EmbeddedStorage(folder, offsets, transactions, settings, cleaningIntervalMs);
      await storage.load();
      return storage;
    } catch (error) {
      // The error of opening is the one that helps.
      await Promise.allSettled([(storage ?? offsets)?.close()]);
      if (storage === undefined) await folder.release();
      throw error;
    }
  }

  topics(): readonly TopicInfo[] {
    return [...this.specs.values()];
  }

  partition(p: TopicPartition): PartitionLog | undefined {
    return this.partitions.get(partitionName(p));
  }

  /** One topic is made at a time. */
  async createTopic(spec: TopicSpec): Promise<void> {
    const made = this.making.then(async () => {
      if (!this.specs.has(spec.name)) {
        await this.folder.makeTopic(spec);
        await this.openTopic(spec);
      }
    });
    this.making = made.catch(() => {});
    await made;
  }

  committed(groupId: string): ReadonlyMap<string, number> {
    return this.offsets.of(groupId);
  }

  commit(groupId: string, offsets: readonly OffsetCommit[]): Promise<void> {
    return this.offsets.commit(groupId, offsets);
  }

  async transact(
    groupId: string,
    appends: ReadonlyMap<PartitionLog, readonly PendingRecord[]>,
    offsets: readonly OffsetCommit[],
  ): Promise<void> {
    const records = new Map(appends).set(this.offsets.log, this.offsets.records(groupId, offsets));
    await this.transactions.commit(records, () => this.offsets.set(groupId, offsets));
  }

  /** Closes all it can, then throws the first error. */
  async close(): Promise<void> {
    this.cancelCleaning();
    await this.making;
    // The others must be open while the last transactions go into them.
    const closed = await Promise.allSettled([this.transactions.close()]);
    closed.push(...(await Promise.allSettled([this.offsets, ...this.partitions.values()].map((p) => p.close()))));
    await this.folder.release();
    const failed = closed.find((c) => c.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  /** Opens the topics, finishes what a crash has left of transactions, and only then looks at the offsets. */
  private async load(): Promise<void> {
    this.transactions.add(OFFSETS, this.offsets.log);
    for (const spec of await this.folder.topics()) {
      await this.openTopic(spec);
    }
    await this.transactions.recover();
    await this.offsets.load();
    this.cleanLater();
  }

  private async openTopic({ name, partitions, retentionMs, compacted }: TopicSpec): Promise<void> {
    const settings = {
      ...this.settings,
      retentionMs: retentionMs ?? this.settings.retentionMs,
      compacted: compacted ?? false,
    };
    for (let partition = 0; partition < partitions; partition++) {
      const log = await PartitionLog.open(this.folder.partition(name, partition), settings);
      this.partitions.set(partitionName({ topic: name, partition }), log);
      this.transactions.add(`topics/${name}/${partition}`, log);
    }
    this.specs.set(name, { name, partitions });
  }

  private cleanLater(): void {
    this.cancelCleaning = this.settings.clock.schedule(this.cleaningIntervalMs, () => {
      for (const partition of this.partitions.values()) {
        partition.clean();
      }
      this.cleanLater();
    });
  }
}
