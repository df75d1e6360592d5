import { join } from 'node:path';
import type { Detector } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { TopicPartition } from '../../runtime/ports/log.js';
import type { TakenSavepoint } from '../../runtime/savepoint/take.js';
import { type SavepointSummary, savepointName, summaryOf } from './savepoint-parts.js';

/** Writes a savepoint of what is stored. */
export interface SavepointSource {
  take(
    path: string,
    partitions: readonly TopicPartition[],
    options: {
      readonly nowMs: number;
      readonly signal: AbortSignal;
      readonly onProgress: (keys: number) => void;
    },
  ): Promise<TakenSavepoint>;
}

export interface SavepointJob {
  readonly name: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly keysWritten: number;
  readonly error: string | null;
  /** Once it is done. */
  readonly savepoint: SavepointSummary | null;
}

export interface SavepointJobsOptions {
  readonly source: SavepointSource;
  /** `null` before it is there. */
  readonly detector: () => Detector | null;
  readonly clock: Clock;
  /** Where they are written. */
  readonly folder: string;
  readonly onFailure: (error: unknown) => void;
}

/** Jobs that are remembered. */
const JOBS_MAX = 20;

/**
 * Savepoints that were asked for of the running service. One at a time: who asks for another meanwhile gets the one under way. Detection
 * goes on: it is asked to store its state now, and what is stored is read beside it.
 */
export class SavepointJobs {
  private readonly jobs = new Map<string, SavepointJob>();
  private running: { readonly name: string; readonly ended: Promise<void> } | null = null;
  private readonly stopped = new AbortController();

  constructor(private readonly options: SavepointJobsOptions) {}

  /** The newest first. */
  list(): readonly SavepointJob[] {
    return [...this.jobs.values()].reverse();
  }

  get(name: string): SavepointJob | undefined {
    return this.jobs.get(name);
  }

  /** `null`: nothing can be taken now, for no partition is live here, or some are being restored. */
  start(): SavepointJob | null {
    if (this.running !== null) return this.jobs.get(this.running.name)!;
    const partitions = this.options.detector()?.status().partitions ?? [];
    if (this.stopped.signal.aborted || partitions.length === 0) return null;
    if (partitions.some(({ phase }) => phase !== 'live')) return null;
    const nowMs = this.options.clock.now();
    const name = savepointName(nowMs);
    this.set({ name, state: 'running', keysWritten: 0, error: null, savepoint: null });
    const ended = this.run(name, partitions, nowMs).finally(() => {
      this.running = null;
    });
    this.running = { name, ended };
    return this.jobs.get(name)!;
  }

  /** Gives up the one under way. */
  async close(): Promise<void> {
    this.stopped.abort(new Error('the service stops'));
    await this.running?.ended;
  }

  private async run(name: string, partitions: readonly TopicPartition[], nowMs: number): Promise<void> {
    const { source, detector, folder, onFailure } = this.options;
    try {
      await detector()?.storeNow?.();
      this.stopped.signal.throwIfAborted();
      const taken = await source.take(join(folder, name), partitions, {
        ...{ nowMs, signal: this.stopped.signal },
        onProgress: (keysWritten) => this.set({ ...this.jobs.get(name)!, keysWritten }),
      });
      this.set({ ...this.jobs.get(name)!, state: 'done', savepoint: summaryOf(taken) });
    } catch (error) {
      onFailure(error);
      this.set({ ...this.jobs.get(name)!, state: 'failed', error: (error as Error).message });
    }
  }

  private set(job: SavepointJob): void {
    this.jobs.set(job.name, job);
    const [oldest] = this.jobs.keys();
    if (this.jobs.size > JOBS_MAX) this.jobs.delete(oldest!);
  }
}
