import type { Clock } from '../../ports/clock.js';
import { partitionName, type TopicPartition } from '../../ports/log.js';
import { type Outcome, Schedule } from '../schedule.js';

export interface StandbyOptions {
  /** Brings what this machine has of a partition to its newest checkpoint, unless it is owned here. */
  readonly follow: (partition: TopicPartition, stopped: AbortSignal) => Promise<unknown>;
  /** All partitions of the topics that are read, whoever owns them. */
  readonly partitions: () => Promise<readonly TopicPartition[]>;
  readonly clock: Clock;
  /** How often it looks for newer checkpoints. */
  readonly intervalMs: number;
  readonly report: (text: string) => void;
}

/**
 * Keeps what this machine has of partitions that others own at their newest checkpoint, so that it can go on with one at once.
 * What cannot be followed now is tried again next time; it is reported once, until it can.
 */
export class Standby {
  readonly name = 'standby';
  private readonly schedule: Schedule;
  private readonly troubles = new Map<string, string>();
  private stopped = new AbortController();

  constructor(private readonly options: StandbyOptions) {
    const { clock, intervalMs } = options;
    this.schedule = new Schedule(clock, { intervalMs, minPauseMs: 0 }, () => this.followAll());
  }

  /** The first look comes after an interval: by then it is known which partitions are owned here. */
  async start(): Promise<void> {
    this.stopped = new AbortController();
    this.schedule.start();
  }

  async stop(): Promise<void> {
    this.stopped.abort(new Error('the standby was stopped'));
    await this.schedule.stop();
  }

  private async followAll(): Promise<Outcome> {
    try {
      const partitions = await this.options.partitions();
      this.settle('');
      for (const partition of partitions) await this.followOne(partition);
    } catch (error) {
      this.tell('', `standby: the partitions cannot be listed: ${(error as Error).message}`);
    }
    return 'done';
  }

  private async followOne(partition: TopicPartition): Promise<void> {
    if (this.stopped.signal.aborted) return;
    const name = partitionName(partition);
    try {
      await this.options.follow(partition, this.stopped.signal);
      this.settle(name);
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      this.tell(name, `${name}: its checkpoints cannot be followed: ${(error as Error).message}`);
    }
  }

  private tell(key: string, text: string): void {
    if (this.troubles.get(key) !== text) this.options.report(text);
    this.troubles.set(key, text);
  }

  private settle(key: string): void {
    if (this.troubles.delete(key)) {
      this.options.report(key === '' ? 'standby: partitions are listed again' : `${key}: followed again`);
    }
  }
}
