import { partitionName, type TopicPartition } from '../ports/log.js';
import { isBesides, type PartitionState, type StateStore } from '../ports/state-store.js';
import { Gate } from './gate.js';
import type { CheckpointOptions, CheckpointStatus } from './options.js';
import { CheckpointedPartition } from './partition/checkpointed-partition.js';

/** Checkpoints under way at a time: each has some files in memory. */
const AT_A_TIME = 2;

/**
 * A state store with copies elsewhere: what is written to it is written to the store on this machine, and now and then, while
 * work goes on, what changed since the last time is copied to an object store, from where another machine can take it.
 * The object store is the caller's to close.
 */
export class CheckpointedStore implements StateStore {
  private readonly partitions = new Map<string, Promise<CheckpointedPartition>>();
  private readonly slots = new Gate(AT_A_TIME);
  private readonly owned = new Map<string, CheckpointedPartition>();

  constructor(private readonly options: CheckpointOptions) {}

  /** It counts as owned from the call on, until its `release`. Waits until a standby has let go of it. */
  async partition(partition: TopicPartition): Promise<PartitionState> {
    // It can be made again: no copy is worth its price.
    if (isBesides(partition)) return this.options.inner.partition(partition);
    const known = await this.known(partition);
    this.owned.set(partitionName(partition), known);
    return known.own();
  }

  /**
   * Brings what this machine has of a partition to its newest checkpoint, unless it is owned here. Says whether it moved.
   *
   * @throws ObjectStoreError, StateStoreError, CheckpointTimeoutError; what `stopped` was aborted with.
   */
  async follow(partition: TopicPartition, stopped: AbortSignal): Promise<boolean> {
    return (await this.known(partition)).follow(stopped);
  }

  /** Whether somebody here has the partition, or waits for it. */
  isOwned(partition: TopicPartition): boolean {
    return this.owned.get(partitionName(partition))?.isOwned === true;
  }

  /** Of partitions that are owned. */
  status(): readonly CheckpointStatus[] {
    return [...this.owned.values()].filter((p) => p.isOwned).map((p) => p.status());
  }

  /** Gives up checkpoints under way and closes the store on this machine. */
  async close(): Promise<void> {
    await Promise.all([...this.owned.values()].map((p) => p.stop()));
    await this.options.inner.close();
  }

  private known(partition: TopicPartition): Promise<CheckpointedPartition> {
    const name = partitionName(partition);
    let known = this.partitions.get(name);
    if (known === undefined) {
      const { topic, partition: number } = partition;
      known = this.options.inner
        .partition(partition)
        .then((inner) => new CheckpointedPartition({ topic, partition: number }, this.options, inner, this.slots));
      this.partitions.set(name, known);
      // Whoever asked gets the error; the next one asks again.
      known.catch(() => this.partitions.delete(name));
    }
    return known;
  }
}
