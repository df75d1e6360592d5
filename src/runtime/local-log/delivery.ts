import type { RecordBatch, TopicPartition } from '../ports/log.js';
import { type PartitionStorage, Waker } from './storage.js';

/**
 * Delivers one partition to one member: reads, hands over, waits until the batch was taken, reads on.
 *
 * 1. At most one `onBatch` is under way.
 * 2. After `stop` no `onBatch` begins; one that is under way is not waited for.
 */
export class Delivery {
  private readonly waker = new Waker();
  private readonly unsubscribe: () => void;
  private stopped = false;
  private paused: boolean;

  constructor(
    private readonly partition: TopicPartition,
    private readonly storage: PartitionStorage,
    private position: number,
    paused: boolean,
    private readonly onBatch: (batch: RecordBatch) => Promise<void> | void,
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.paused = paused;
    this.unsubscribe = storage.subscribe(() => this.waker.wake());
  }

  start(): void {
    this.run().catch((error) => this.onFailure(error));
  }

  stop(): void {
    this.stopped = true;
    this.unsubscribe();
    this.waker.wake();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.waker.wake();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      if (this.paused || this.position >= this.storage.end) {
        await this.waker.wait();
        continue;
      }
      const from = Math.max(this.position, this.storage.begin);
      const { records, nextOffset } = await this.storage.read(from);
      if (this.stopped || this.paused) {
        continue;
      }
      const { topic, partition } = this.partition;
      await this.onBatch({ topic, partition, records, nextOffset, endOffset: this.storage.end });
      this.position = nextOffset;
    }
  }
}
