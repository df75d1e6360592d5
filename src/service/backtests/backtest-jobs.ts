import { randomBytes } from 'node:crypto';
import type { Clock } from '../../runtime/ports/clock.js';
import type { BacktestJob, BacktestRequest, BacktestRunner, RunningBacktest } from './backtest-job.js';
import { JobFolder, type StoredJob } from './job-folder.js';

export interface BacktestJobsOptions {
  readonly runner: BacktestRunner;
  readonly clock: Clock;
  readonly folder: string;
  /** Jobs that wait, at most. */
  readonly queueMax: number;
  /** Jobs that have ended and are kept, at most. */
  readonly keptMax: number;
  readonly onTrouble: (text: string, error: unknown) => void;
}

/** A job that is cut short so often in a row, with nothing kept in between, is given up: it may be what ends the service. */
const ATTEMPTS_MAX = 3;

/** `null`: the service stops, nothing more comes. */
type Listener = (job: BacktestJob | null) => void;

/**
 * Back-tests that were asked for.
 *
 *     queued ──▶ running ──▶ done | failed
 *        └───────────┴─────▶ cancelled
 *
 * 1. One runs at a time, in a process of its own; the others wait in order.
 * 2. A job is on the disk before it is answered for. What waited when the service stopped is begun at its next start, what ran goes on from
 *    what it has kept.
 * 3. Of those that have ended, the newest are kept.
 */
export class BacktestJobs {
  private readonly jobs = new Map<string, StoredJob>();
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly folder: JobFolder;
  private running: { readonly id: string; readonly process: RunningBacktest; readonly over: Promise<void> } | null =
    null;
  private stopped = false;
  private saving: Promise<void> = Promise.resolve();

  constructor(private readonly options: BacktestJobsOptions) {
    this.folder = new JobFolder(options.folder);
  }

  /** Reads what an earlier process has left, and goes on with it. */
  async open(): Promise<void> {
    for (const stored of await this.folder.load()) {
      const { job } = stored;
      this.jobs.set(job.id, stored);
      if (job.state !== 'running') continue;
      const { fruitless = job.attempts } = stored;
      if (fruitless < ATTEMPTS_MAX) await this.change(job.id, { state: 'queued', progress: null });
      else await this.end(job.id, 'failed', `it was cut short ${fruitless} times by the end of the service`);
    }
    this.next();
  }

  /** The newest first. */
  list(): readonly BacktestJob[] {
    return [...this.jobs.values()].map(({ job }) => job).reverse();
  }

  get(id: string): BacktestJob | undefined {
    return this.jobs.get(id)?.job;
  }

  read(id: string, file: 'result.json' | 'report.html'): Promise<string | null> {
    return this.folder.read(id, file);
  }

  /** `null`: too many wait already. */
  async add(request: BacktestRequest, title: string | null): Promise<BacktestJob | null> {
    const waiting = this.list().filter(({ state }) => state === 'queued');
    if (this.stopped || waiting.length >= this.options.queueMax) return null;
    const createdAt = this.moment();
    const id = `${createdAt.replace(/[:.]/g, '-')}-${randomBytes(3).toString('hex')}`;
    const ended = { startedAt: null, endedAt: null, progress: null, summary: null, error: null };
    const job: BacktestJob = { id, state: 'queued', createdAt, attempts: 0, resumedAfter: null, title, ...ended };
    this.jobs.set(id, { job, request, fruitless: 0 });
    await this.save(id);
    this.next();
    return this.get(id)!;
  }

  /** Cancels a job that has not ended, and forgets one that has. `undefined`: there is no such job. */
  async remove(id: string): Promise<BacktestJob | undefined> {
    const job = this.get(id);
    if (job?.state === 'queued' || job?.state === 'running') {
      await this.end(id, 'cancelled', null);
      if (this.running?.id === id) {
        this.running.process.stop();
        await this.running.over;
      }
      await this.inTurn(() => this.folder.tidy(id));
      return this.get(id);
    }
    this.jobs.delete(id);
    await this.inTurn(() => this.folder.remove(id));
    return job;
  }

  /** Called with the job now, and whenever it changes, until the answer is called. */
  watch(id: string, listener: Listener): () => void {
    const listeners = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, listeners.add(listener));
    const job = this.get(id);
    if (job !== undefined) listener(job);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.listeners.delete(id);
    };
  }

  /** Ends the one under way; the next start goes on with it. */
  async close(): Promise<void> {
    this.stopped = true;
    for (const listeners of [...this.listeners.values()]) for (const listener of [...listeners]) listener(null);
    this.running?.process.stop();
    await this.running?.over;
    await this.saving;
  }

  private next(): void {
    const waiting = [...this.jobs.values()].find(({ job }) => job.state === 'queued');
    if (this.stopped || this.running !== null || waiting === undefined) return;
    const { job, request } = waiting;
    const startedAt = this.moment();
    const process = this.options.runner.start(request, this.folder.of(job.id), {
      onProgress: (fraction, events) => this.tell(job.id, fraction, events),
      onResumed: (resumedAfter) => void this.change(job.id, { resumedAfter }),
      onSaved: () => this.saved(job.id),
    });
    const over = this.follow(job.id, process).finally(() => {
      this.running = null;
      this.next();
    });
    this.running = { id: job.id, process, over };
    this.jobs.set(job.id, { ...waiting, fruitless: (waiting.fruitless ?? job.attempts) + 1 });
    void this.change(job.id, { state: 'running', startedAt, attempts: job.attempts + 1, resumedAfter: null });
  }

  private async follow(id: string, process: RunningBacktest): Promise<void> {
    try {
      const summary = await process.ended;
      await this.end(id, 'done', null, { summary });
    } catch (error) {
      // A job that the end of the service cuts short stays as it is, to be begun anew.
      if (!this.stopped && this.get(id)?.state === 'running') await this.end(id, 'failed', (error as Error).message);
    }
    if (this.get(id)?.state !== 'running') await this.inTurn(() => this.folder.tidy(id));
  }

  private tell(id: string, fraction: number, events: number): void {
    const job = this.get(id);
    if (job?.state !== 'running') return;
    const seconds = (this.options.clock.now() - Date.parse(job.startedAt!)) / 1000;
    const own = Math.max(0, events - (job.resumedAfter ?? 0));
    const eventsPerSecond = Math.round(own / Math.max(seconds, 0.001));
    const eventsLeft = fraction > 0 ? (events * (1 - fraction)) / fraction : null;
    const secondsLeft = own === 0 || eventsLeft === null ? null : (seconds * eventsLeft) / own;
    this.set(id, { progress: { fraction, events, eventsPerSecond, secondsLeft } });
  }

  private saved(id: string): void {
    const stored = this.jobs.get(id);
    if (stored === undefined || stored.fruitless === 0) return;
    this.jobs.set(id, { ...stored, fruitless: 0 });
    void this.save(id);
  }

  private async end(
    id: string,
    state: BacktestJob['state'],
    error: string | null,
    more: Partial<BacktestJob> = {},
  ): Promise<void> {
    await this.change(id, { state, error, endedAt: this.moment(), ...more });
    const ended = this.list().filter(({ endedAt }) => endedAt !== null);
    for (const old of ended.slice(this.options.keptMax)) await this.remove(old.id);
  }

  private change(id: string, change: Partial<BacktestJob>): Promise<void> {
    this.set(id, change);
    return this.save(id);
  }

  private set(id: string, change: Partial<BacktestJob>): void {
    const stored = this.jobs.get(id);
    if (stored === undefined) return;
    const job = { ...stored.job, ...change };
    this.jobs.set(id, { ...stored, job });
    for (const listener of [...(this.listeners.get(id) ?? [])]) listener(job);
  }

  /** What is then the newest. */
  private save(id: string): Promise<void> {
    return this.inTurn(async () => {
      const stored = this.jobs.get(id);
      if (stored !== undefined) await this.folder.save(stored);
    });
  }

  /** One change of the disk after the other. */
  private inTurn(act: () => Promise<void>): Promise<void> {
    this.saving = this.saving
      .then(act)
      .catch((error: unknown) => this.options.onTrouble('a back-test could not be written down', error));
    return this.saving;
  }

  private moment(): string {
    return new Date(this.options.clock.now()).toISOString();
  }
}
