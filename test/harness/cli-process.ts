import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BASE_ENV } from './base-env.js';
import { until } from './until.js';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const BIN = fileURLToPath(new URL('../../bin/stakeout.mjs', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `stakeout` command in a process of its own. `dist` must have been built. */
export class CliProcess {
  stdout = '';
  stderr = '';
  private readonly ended: Promise<Ended>;
  private isOver = false;

  private constructor(private readonly process: ChildProcess) {
    process.stdout?.on('data', (data) => {
      this.stdout += String(data);
    });
    process.stderr?.on('data', (data) => {
      this.stderr += String(data);
    });
    this.ended = once(process, 'close').then(([status]: (number | null)[]) => {
      this.isOver = true;
      return { status: status ?? null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  static start(args: readonly string[], options: { cwd?: string; env?: Readonly<Record<string, string>> } = {}) {
    const env = { ...BASE_ENV, ...options.env };
    return new CliProcess(spawn(process.execPath, [BIN, ...args], { cwd: options.cwd ?? PACKAGE, env }));
  }

  /** Runs a command that ends by itself. */
  static run(...args: Parameters<typeof CliProcess.start>): Promise<Ended> {
    return CliProcess.start(...args).ended;
  }

  /** Waits until standard output has the text; its first group, or the whole of it. */
  async untilSaid(text: RegExp): Promise<string> {
    return until(
      () => {
        const found = text.exec(this.stdout);
        if (found === null && this.isOver) throw new Error(`it ended: ${this.stdout}${this.stderr}`);
        return found?.[1] ?? found?.[0];
      },
      () => `${text} in what it says:\n${this.stdout}${this.stderr}`,
    ) as Promise<string>;
  }

  /** Sends the signal, and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Ended> {
    if (!this.isOver) this.process.kill(signal);
    return this.ended;
  }
}
