import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** A copy of the repository in a temporary folder, in which the engine may be broken and the specs that should notice are run. */

/** Folders and files that the specs need. */
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'jest.config.mjs'];
/** What the specs below are run in, one after the other, until one fails: the quickest first. */
const STAGES = [['src/engine'], ['test/regressions'], ['test/conformance'], ['test/oracle']];
const STAGE_MS_MAX = 300_000;
const ERRORS_KEPT = 2000;

/** Which spec failed first, and what it says; `null`: all passed. */
export type Failure = { readonly spec: string; readonly why: string } | null;

interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** What a compiler left beside its source would be run in place of the source. */
const isEmitted = (path: string): boolean => path.endsWith('.js') && existsSync(path.replace(/js$/, 'ts'));

export class Sandbox {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'stakeout-mutation-')));
  private child: ChildProcess | null = null;
  /** The last that Jest said on standard error. */
  private errors = '';

  constructor(private readonly root: string) {
    for (const name of COPIED)
      cpSync(join(root, name), join(this.folder, name), { recursive: true, filter: (path) => !isEmitted(path) });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    const config = `import base from './jest.config.mjs';
const { globalSetup, globalTeardown, ...rest } = base;
export default { ...rest, reporters: [], testPathIgnorePatterns: ['<rootDir>/test/mutation/'] };
`;
    writeFileSync(join(this.folder, 'jest.mutation.config.js'), config);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  async runSpecs(): Promise<Failure> {
    for (const stage of STAGES) {
      const failure = await this.runStage(stage);
      if (failure !== null) return failure;
    }
    return null;
  }

  /** Ends what is running and takes the copy away. */
  remove(): void {
    this.child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async runStage(paths: readonly string[]): Promise<Failure> {
    const report = join(this.folder, 'report.json');
    rmSync(report, { force: true });
    const jest = join(this.root, 'node_modules/jest/bin/jest.js');
    const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest];
    const options = ['--config', 'jest.mutation.config.js', '--bail=1', '--json', `--outputFile=${report}`];
    const ended = await this.run([...args, ...options, ...paths]);
    if (ended === 0) return null;
    if (ended === null) return { spec: paths.join(' '), why: `no end after ${STAGE_MS_MAX / 1000} s` };
    const failed = existsSync(report) ? this.failureIn(JSON.parse(readFileSync(report, 'utf8')) as JestReport) : null;
    return failed ?? { spec: paths.join(' '), why: `Jest ended with ${ended}: ${this.errors}` };
  }

  /** The exit code; `null`: it had to be killed. */
  private run(args: readonly string[]): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd: this.folder,
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: STAGE_MS_MAX,
      });
      this.child = child;
      this.errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.errors = (this.errors + text).slice(-ERRORS_KEPT);
      });
      child.once('error', reject);
      child.once('close', resolve);
    });
  }

  private failureIn({ testResults }: JestReport): Failure {
    const failed = testResults.find(({ status }) => status === 'failed');
    if (failed === undefined) return null;
    const assertion = failed.assertionResults.find(({ status }) => status === 'failed');
    return {
      spec: relative(this.folder, failed.name),
      why: assertion?.fullName ?? failed.message.split('\n').find((line) => line.trim() !== '') ?? '',
    };
  }
}
