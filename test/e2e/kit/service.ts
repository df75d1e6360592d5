/** The real service as a child process, seen as its users see it: console, log, HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../../harness/until.js';
import { root } from './build.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Status {
  readonly detector: {
    readonly phase: string;
    readonly trouble: string | null;
    readonly recordsIn: number;
    readonly partitions: readonly { readonly phase: string }[];
  };
  readonly sinks: readonly { readonly name: string; readonly trouble: string | null; readonly lag: number }[];
}

/** `stakeout start --config FILE`, from its start to its end. */
export class ServiceProcess {
  private out = '';
  private err = '';
  private readonly ended: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.ended = once(child, 'close');
  }

  /** @param nodeOptions options of Node.js itself. */
  static start(config: string, nodeOptions: readonly string[] = []): ServiceProcess {
    const args = [...nodeOptions, join(root, 'bin/stakeout.mjs'), 'start', '--config', config];
    return new ServiceProcess(
      spawn(process.execPath, args, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  /** What it has printed. */
  get console(): string {
    return this.out;
  }

  /** What it has written to standard error. */
  get errors(): string {
    return this.err;
  }

  /** Whole lines of its log, which must be in JSON. */
  get log(): readonly LogLine[] {
    const lines = this.err.split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
  }

  /** Base URL, from what it prints. Throws before it has printed it. */
  get url(): string {
    const found = /health\s+(http:\S+)\/health\/ready/.exec(this.out);
    if (found === null) throw new Error(`the service has printed no URL:\n${this.out}\n${this.err}`);
    return found[1]!;
  }

  /** Waits until it detects. One that does not get there is killed: whoever waits has no hold of it yet. */
  async ready(): Promise<this> {
    try {
      await until(
        async () => {
          if (this.child.exitCode !== null) return true;
          return (await this.isReady()) && (await this.status()).detector.partitions.length > 0;
        },
        () => `the service to be ready:\n${this.out}\n${this.err}`,
      );
    } catch (error) {
      await this.kill9();
      throw error;
    }
    if (this.child.exitCode !== null) throw new Error(`the service ended:\n${this.out}\n${this.err}`);
    return this;
  }

  async isReady(): Promise<boolean> {
    return (await fetch(`${this.url}/health/ready`)).status === 200;
  }

  status(): Promise<Status> {
    return this.get<Status>('/v1/status');
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`GET ${path} gave ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Value of a metric, summed over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const samples = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    if (samples.length === 0) throw new Error(`there is no metric ${name}`);
    return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async kill9(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Exit status, after SIGTERM. */
  stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.end();
  }

  /** Exit status, when it ends by itself. */
  async end(): Promise<number | null> {
    await this.ended;
    return this.child.exitCode;
  }
}

/** Settings come from the config file only: servers that the test run was given are not for this service. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours =
    /^(STAKEOUT_.*|KAFKA_BROKERS|REDIS_URL|SCHEMA_REGISTRY_URL|HTTP_PORT|PORT|LOG_LEVEL|OTEL_.*|NODE_OPTIONS)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
