import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const RUN_TYPESCRIPT = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url));
const CHILDREN = fileURLToPath(new URL('./children/', import.meta.url));

/** A program of `test/harness/children` in a process of its own, with what it printed so far. */
export class Child {
  readonly lines: string[] = [];
  private errors = '';
  private ended = false;

  private constructor(private readonly process: ChildProcess) {
    createInterface({ input: process.stdout as NodeJS.ReadableStream }).on('line', (line) => this.lines.push(line));
    process.stderr?.on('data', (data) => {
      this.errors += String(data);
    });
    process.on('close', () => {
      this.ended = true;
    });
  }

  /** @param fileBytesMax no file may grow beyond this: writing there fails as on a full disk. */
  static start(program: string, args: readonly string[], fileBytesMax?: number): Child {
    const node = [process.execPath, '--import', RUN_TYPESCRIPT, `${CHILDREN}${program}`, ...args];
    if (fileBytesMax === undefined) {
      return new Child(spawn(node[0] as string, node.slice(1)));
    }
    const limit = `trap '' XFSZ; ulimit -f ${Math.ceil(fileBytesMax / 1024)}; exec "$@"`;
    return new Child(spawn('bash', ['-c', limit, 'bash', ...node]));
  }

  async untilLines(count: number): Promise<void> {
    await until(
      () => {
        if (this.ended && this.lines.length < count) {
          throw new Error(`it ended: ${this.errors}`);
        }
        return this.lines.length >= count;
      },
      () => `${count} lines of the child (it printed ${this.lines.length}) ${this.errors}`,
    );
  }

  /** Kills it without any chance to tidy up, and waits until it is gone and all it printed is in `lines`. */
  async kill(): Promise<void> {
    if (!this.ended) {
      this.process.kill('SIGKILL');
      await once(this.process, 'close');
    }
  }

  async end(): Promise<void> {
    if (!this.ended) {
      await once(this.process, 'close');
    }
  }
}
