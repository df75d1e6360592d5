import type { DetectorListener } from '../detector.js';
import type { Clock } from '../ports/clock.js';
import { partitionName, type TopicPartition } from '../ports/log.js';
import type { AheadStore } from './ahead-store.js';

export interface StartAheadOptions {
  readonly store: AheadStore;
  /** All partitions that may come. Those that this machine has are read first. */
  readonly partitions: () => Promise<readonly TopicPartition[]>;
  /** Brings what this machine has of a partition to its newest copy elsewhere. Absent: there are no copies. */
  readonly follow?: (partition: TopicPartition, stopped: AbortSignal) => Promise<boolean>;
  /** A standby keeps what was read up to date: it is not thrown away when nobody comes for it. Default: it is. */
  readonly keeps?: boolean;
  readonly clock: Clock;
  readonly report: (text: string) => void;
}

/** How long a copy that is being put in place may take once it is known who has which partition: it may be one that came here. */
const GRACE_MS = 3000;
/** How long what was read waits for an owner from then on. */
const KEPT_MS = 60_000;

/**
 * Uses the time in which a process waits for its partitions: where another member of the group has died, the brokers give out its
 * partitions only after the session timeout. Until the first come, the state of all that may come is brought to this machine and into
 * memory, as far as there is room.
 */
export class StartAhead {
  private readonly stopped = new AbortController();
  private assigned = false;
  private done: Promise<void> = Promise.resolve();
  private cancel: () => void = () => undefined;

  constructor(private readonly options: StartAheadOptions) {}

  /** To be told of partitions. */
  readonly listener: DetectorListener = {
    onPartitions: (partitions, change) => {
      if (change === 'assigned' && partitions.length > 0) this.partitionsCame();
    },
  };

  start(): void {
    this.done = this.readAll().catch((error: Error) => {
      if (!this.stopped.signal.aborted) this.options.report(`state was not read beforehand: ${error.message}`);
    });
  }

  async stop(): Promise<void> {
    this.cancel();
    this.assigned = true;
    this.stopped.abort(new Error('the service was stopped'));
    this.options.store.forget();
    await this.done;
  }

  /** Resolves when nothing more is read. */
  settled(): Promise<void> {
    return this.done;
  }

  private async readAll(): Promise<void> {
    const { store, partitions, follow, report } = this.options;
    let read = 0;
    for (const partition of await this.localFirst(await partitions())) {
      if (this.assigned) break;
      try {
        await follow?.(partition, this.stopped.signal);
      } catch (error) {
        if (this.stopped.signal.aborted) return;
        report(`${partitionName(partition)}: its checkpoints cannot be had beforehand: ${(error as Error).message}`);
      }
      if (this.assigned) break;
      await store.readAhead(partition);
      read++;
    }
    if (read > 0) report(`state of ${read} partitions was read beforehand (${store.bytesAhead} bytes)`);
  }

  private async localFirst(partitions: readonly TopicPartition[]): Promise<readonly TopicPartition[]> {
    const here: TopicPartition[] = [];
    const elsewhere: TopicPartition[] = [];
    for (const partition of partitions) {
      const state = await this.options.store.partition(partition);
      ((await state.cut()) === null ? elsewhere : here).push(partition);
    }
    return [...here, ...elsewhere];
  }

  private partitionsCame(): void {
    if (this.assigned) return;
    this.assigned = true;
    const { clock, store } = this.options;
    this.cancel = clock.schedule(GRACE_MS, () => {
      this.stopped.abort(new Error('the partitions have been given out'));
      if (this.options.keeps !== true) this.cancel = clock.schedule(KEPT_MS - GRACE_MS, () => store.forget());
    });
  }
}
