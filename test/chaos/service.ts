/** One process of the service, with a data folder of its own, that is killed, frozen and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, rmSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { BASE_ENV } from '../harness/base-env.js';
import { until } from '../harness/until.js';
import type { Network } from './network.js';

const STOP_MAX_MS = 60_000;
const ANSWER_MAX_MS = 2_000;
/** A process that ended by itself is started again after so long. */
const RESTART_MS = 1_000;

interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly phase: string;
}

export interface ServiceOptions {
  readonly name: string;
  /** Folder of the package: with `bin` and `dist`. */
  readonly home: string;
  /** Of configuration, state and log. */
  readonly folder: string;
  readonly network: Network;
}

export class Service {
  /** Exit statuses of processes that ended though nobody had asked them to. */
  readonly endedByItself: string[] = [];
  private child: ChildProcess | null = null;
  private ended: Promise<unknown> = Promise.resolve();
  private url: string | null = null;
  private wanted = false;
  private readonly log: WriteStream;
  /** Of the package that runs from the next start on. */
  home: string;

  constructor(readonly options: ServiceOptions) {
    this.home = options.home;
    this.log = createWriteStream(join(options.folder, `${options.name}.log`), { flags: 'a' });
  }

  get name(): string {
    return this.options.name;
  }

  get network(): Network {
    return this.options.network;
  }

  get dataFolder(): string {
    return join(this.options.folder, `data-${this.name}`);
  }

  start(): void {
    const { home } = this;
    const { folder, name } = this.options;
    const args = [join(home, 'bin/stakeout.mjs'), 'start', '--config', join(folder, `${name}.yaml`)];
    // Settings come from the file alone.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: BASE_ENV });
    let said = '';
    this.url = null;
    this.wanted = true;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      this.url ??= /(http:\S+)\/health\/ready/.exec(said)?.[1] ?? null;
      this.log.write(text);
    });
    child.stderr.pipe(this.log, { end: false });
    this.note(`started as process ${child.pid} from ${home}`);
    this.child = child;
    this.ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
      this.note(`ended with ${code ?? signal}`);
      if (this.child !== child || !this.wanted) return;
      this.endedByItself.push(String(code ?? signal));
      setTimeout(() => this.wanted && this.child === child && this.start(), RESTART_MS);
    });
  }

  async kill9(): Promise<void> {
    this.wanted = false;
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  /** Ends in good order; killed where that takes too long. Returns whether it was in time. */
  async stop(): Promise<boolean> {
    this.wanted = false;
    this.child?.kill('SIGTERM');
    let inTime = true;
    const tooLong = setTimeout(() => {
      inTime = false;
      this.child?.kill('SIGKILL');
    }, STOP_MAX_MS);
    await this.ended;
    clearTimeout(tooLong);
    return inTime;
  }

  freeze(): void {
    this.note('frozen');
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.note('thawed');
    this.child?.kill('SIGCONT');
  }

  /** Only while it is down. */
  deleteState(): void {
    rmSync(this.dataFolder, { recursive: true, force: true });
    this.note('state deleted');
  }

  /** A line of our own in its log. */
  note(text: string): void {
    this.log.write(`--- ${new Date().toISOString()} ${this.name} ${text}\n`);
  }

  /** Partitions that are live here; `null`: it is not ready. */
  async livePartitions(): Promise<readonly string[] | null> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MAX_MS);
      if (this.url === null || (await fetch(`${this.url}/health/ready`, { signal })).status !== 200) return null;
      const { partitions } = (await this.status(signal)).detector;
      if (partitions.some(({ phase }) => phase !== 'live')) return null;
      return partitions.map(({ topic, partition }) => `${topic}-${partition}`);
    } catch {
      return null;
    }
  }

  private async status(
    signal: AbortSignal,
  ): Promise<{ readonly detector: { readonly partitions: readonly Partition[] } }> {
    const answer = await fetch(`${this.url}/v1/status`, { signal });
    // Versions before the API had one in its paths.
    const now = answer.status === 404 ? await fetch(`${this.url}/status`, { signal }) : answer;
    return (await now.json()) as { detector: { partitions: readonly Partition[] } };
  }

  async started(timeoutMs: number): Promise<void> {
    await until(async () => (await this.livePartitions()) !== null, `service ${this.name} to be ready`, timeoutMs);
  }

  async end(): Promise<void> {
    await this.kill9();
    this.log.end();
  }
}
