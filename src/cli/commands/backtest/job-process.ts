import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, setPriority } from 'node:os';
import { join } from 'node:path';
import { reportOf } from '../../../backtest/report/report.js';
import { isBounded } from '../../../backtest/run/file-streams.js';
import type { Settings } from '../../../runtime/settings/index.js';
import type { BacktestRequest, JobSummary, RuleChoice } from '../../../service/backtests/backtest-job.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';
import { parityLine } from './parity-line.js';
import { type Performed, perform } from './perform.js';
import type { BacktestSource } from './prepare.js';

/** What the service sends to begin with. */
export interface JobOrder {
  readonly settings: Settings;
  readonly request: BacktestRequest;
  readonly folder: string;
}

export type JobMessage =
  | { readonly kind: 'progress'; readonly fraction: number; readonly events: number }
  /** It goes on where an attempt before was cut short. */
  | { readonly kind: 'resumed'; readonly events: number }
  /** It has kept what it has come to. */
  | { readonly kind: 'saved' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'done'; readonly summary: JobSummary };

/** Progress is told this often at most. */
const TELL_MS = 200;

/** A back-test that a service was asked for. It ends with the service, and stands back behind it. */
process.on('disconnect', () => process.exit(1));
process.once('message', (order: JobOrder) => {
  void run(order).then((message) => process.send!(message, () => process.exit(0)));
});

async function run({ settings, request, folder }: JobOrder): Promise<JobMessage> {
  await standBack(settings.backtests.niceness);
  let told = 0;
  const onProgress = (fraction: number, events: number): void => {
    if (performance.now() - told < TELL_MS) return;
    told = performance.now();
    process.send!({ kind: 'progress', fraction, events } satisfies JobMessage);
  };
  const silent: Output = { json: false, say: () => {}, result: () => {}, progress: () => {} };
  try {
    const { lanes, checkpointInterval } = settings.backtests;
    const source = await sourceFor(settings, request, folder);
    const listener = {
      onProgress,
      onResumed: (events: number) => process.send!({ kind: 'resumed', events } satisfies JobMessage),
      onSaved: () => process.send!({ kind: 'saved' } satisfies JobMessage),
    };
    const keeping = { folder, intervalMs: checkpointInterval };
    const done = await perform(source, lanes === 'auto' ? undefined : lanes, silent, listener, keeping, lanesBeside());
    return { kind: 'done', summary: await keep(done, folder) };
  } catch (error) {
    const isKnown = error instanceof CommandError || typeof (error as { code?: unknown }).code === 'string';
    return { kind: 'failed', message: isKnown ? (error as Error).message : String((error as Error).stack ?? error) };
  }
}

async function keep({ measured, result, live, title, lanes }: Performed, folder: string): Promise<JobSummary> {
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, `${name}.new`), text);
    await rename(join(folder, `${name}.new`), join(folder, name));
  };
  await write('report.html', reportOf(measured, { title, parity: parityLine(live) }));
  await write('result.json', JSON.stringify({ ...result, lanes, parity: live }));
  const { events, alerts, precision, recall, f1, digest } = result;
  return { events, alerts, precision, recall, f1, digest, parity: live?.equal ?? null };
}

/** The request as files, which every lane reads by itself. */
async function sourceFor(settings: Settings, request: BacktestRequest, folder: string): Promise<BacktestSource> {
  const { rules, baseline, labels, topic, ...rest } = request;
  const patterns = await written(join(folder, 'rules'), rules);
  const scored = settings.backtest.labels.stream ?? Object.keys(settings.streams)[0]!;
  const stream = settings.streams[scored];
  const read = topic ?? (stream === undefined || isBounded(stream) ? undefined : stream.topic);
  const rows = join(folder, 'labels.ndjson');
  if (labels !== undefined) await writeFile(rows, labels.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return {
    ...{ settings, patterns, ...rest },
    ...(rules.ids === undefined ? {} : { rules: rules.ids }),
    ...(read === undefined ? {} : { topic: read }),
    ...(labels === undefined ? {} : { labels: rows }),
    ...(baseline === undefined ? {} : { baseline: await written(join(folder, 'baseline'), baseline) }),
  };
}

async function written(folder: string, { files }: RuleChoice): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  for (const [index, { text }] of files.entries()) {
    const own = join(folder, String(index).padStart(4, '0'));
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'pattern.yaml'), text);
  }
  return folder;
}

/** Half of the cores are the service's: what a log or its brokers do for a back-test cannot stand back. */
const lanesBeside = (): number => Math.max(1, Math.floor(availableParallelism() / 2));

/** All threads that there are; those that come inherit it. Elsewhere than on Linux it holds for the process. */
async function standBack(niceness: number): Promise<void> {
  const threads = await readdir('/proc/self/task').catch(() => [String(process.pid)]);
  for (const thread of threads) {
    try {
      setPriority(Number(thread), niceness);
    } catch {
      // A thread that has ended, or a system that does not allow it.
    }
  }
}
