import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BacktestJob, BacktestRequest } from './backtest-job.js';

export interface StoredJob {
  readonly job: BacktestJob;
  readonly request: BacktestRequest;
  /** Attempts in a row that were cut short, and had kept nothing. Absent: an older release wrote it. */
  readonly fruitless?: number;
}

const JOB = 'job.json';
/** What a run keeps for the next attempt at it. */
const CHECKPOINT = /\.checkpoint(\.new)?$/;
const ID = /^[0-9TZ-]+-[0-9a-f]{6}$/;

/** Jobs on the disk: a folder for each, with `job.json` and what the run has written. */
export class JobFolder {
  constructor(readonly directory: string) {}

  of(id: string): string {
    return join(this.directory, id);
  }

  /** In order of their making. What is no job is left alone. */
  async load(): Promise<StoredJob[]> {
    const names = await readdir(this.directory).catch(() => []);
    const stored: StoredJob[] = [];
    for (const name of names.filter((name) => ID.test(name)).sort()) {
      const text = await readFile(join(this.of(name), JOB), 'utf8').catch(() => null);
      if (text !== null) stored.push(JSON.parse(text) as StoredJob);
    }
    return stored;
  }

  /** Whole or not at all. */
  async save(stored: StoredJob): Promise<void> {
    const folder = this.of(stored.job.id);
    await mkdir(folder, { recursive: true });
    const path = join(folder, JOB);
    await writeFile(`${path}.new`, JSON.stringify(stored));
    await rename(`${path}.new`, path);
  }

  /** Removes what only another attempt would need. */
  async tidy(id: string): Promise<void> {
    const names = await readdir(this.of(id)).catch(() => []);
    for (const name of names) if (CHECKPOINT.test(name)) await rm(join(this.of(id), name), { force: true });
  }

  remove(id: string): Promise<void> {
    return rm(this.of(id), { recursive: true, force: true });
  }

  /** `null`: it was not written. */
  read(id: string, file: 'result.json' | 'report.html'): Promise<string | null> {
    return readFile(join(this.of(id), file), 'utf8').catch(() => null);
  }
}
