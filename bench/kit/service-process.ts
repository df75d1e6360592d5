import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '../../test/harness/until.js';

export const root = join(import.meta.dirname, '..', '..');

const START_MAX_MS = 120_000;

/** Of this process's environment: what a service needs, and how memory is given out (`MALLOC_*`, `LD_PRELOAD`), which is to be compared. */
const handedOn = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PATH|HOME|LD_PRELOAD|MALLOC_.*)$/.test(name)));

/** A line of the service's log. */
export interface LogLine {
  /** Milliseconds since 1970, by the service. */
  readonly time: number;
  readonly msg: string;
  readonly partitions?: readonly string[];
  /** What detection waits for. */
  readonly trouble?: string;
}

/** What these benchmarks read of `/v1/status`. */
export interface Status {
  readonly detector: {
    readonly recordsIn: number;
    readonly alerts: number;
    readonly matches: Readonly<Record<string, number>>;
    readonly partitions: readonly PartitionNow[];
  } | null;
}

export interface PartitionNow {
  readonly memory: { readonly coldBytes: number; readonly tableBytes: number };
  readonly topic: string;
  readonly partition: number;
  readonly phase: 'restoring' | 'live';
  readonly position: number;
  readonly keys: number;
  readonly lag: number;
}

/** The service as a user starts it: from `dist`, in a process of its own, with its log as JSON on standard error. */
export class ServiceProcess {
  readonly log: LogLine[] = [];
  /** What it says besides, to be shown when it ends too early. */
  private readonly said: string[] = [];
  private address: string | null = null;
  private isOver = false;

  private constructor(private readonly child: ChildProcess) {
    createInterface(child.stdout!).on('line', (line) => this.heard(line));
    createInterface(child.stderr!).on('line', (line) => this.logged(line));
    child.once('exit', () => {
      this.isOver = true;
    });
  }

  /** `node`: options of Node.js, such as those of its profiler. */
  static start(config: string, brokers: readonly string[], node: readonly string[] = []): ServiceProcess {
    const env = { ...handedOn(), KAFKA_BROKERS: brokers.join(',') };
    const args = [...node, join(root, 'bin', 'stakeout.mjs'), 'start', '--config', config];
    return new ServiceProcess(spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Waits until it listens; that is when detection has started. */
  async listens(): Promise<string> {
    await until(() => this.address ?? this.assertRuns(), 'the service to listen', START_MAX_MS);
    return this.address!;
  }

  async status(): Promise<Status> {
    const response = await fetch(`${await this.listens()}/v1/status`);
    return (await response.json()) as Status;
  }

  /** Waits until it has so many partitions, all live, and is at most `lagMax` records behind in all of them together. */
  async isLive(partitions: number, lagMax: number, timeoutMs: number): Promise<Status> {
    let seen = 'no answer yet';
    return until(
      async () => {
        this.assertRuns();
        const status = await this.status();
        const owned = status.detector?.partitions ?? [];
        const lag = owned.reduce((sum, p) => sum + p.lag, 0);
        seen = `${owned.map((p) => `${p.topic}-${p.partition} ${p.phase}`).join(', ')}; ${lag} records behind`;
        const live = owned.filter((p) => p.phase === 'live').length;
        return live >= partitions && live === owned.length && lag <= lagMax ? status : null;
      },
      () => `the service to be live: ${seen}`,
      timeoutMs,
    ) as Promise<Status>;
  }

  /** As a power cut would. */
  async kill9(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.isOver) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }

  private assertRuns(): null {
    if (this.isOver) throw new Error(`the service ended:\n${this.said.join('\n')}`);
    return null;
  }

  private heard(line: string): void {
    this.said.push(line);
    this.address ??= /(http:\/\/\S+:\d+)\/docs/.exec(line)?.[1] ?? null;
  }

  private logged(line: string): void {
    if (!line.startsWith('{')) {
      this.heard(line);
      return;
    }
    const entry = JSON.parse(line) as { time: number; level: string; msg: string };
    this.log.push(entry);
    if (/error|fatal/.test(entry.level)) this.said.push(line);
  }
}
