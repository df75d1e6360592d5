import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { backtest } from '../../backtest/backtest.js';
import { measure } from '../../backtest/measure.js';
import { csvOf } from '../../backtest/report/csv.js';
import { reportOf } from '../../backtest/report/report.js';
import { type BacktestResult, resultOf } from '../../backtest/result.js';
import type { FileStream } from '../../backtest/run-files.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { type BacktestSource, prepare } from './backtest/prepare.js';
import { spawnLane } from './backtest/spawn-lane.js';
import { summary } from './backtest/summary.js';
import { badRowPrinter, openOrFail, progressLine } from './files.js';

export interface BacktestOptions extends BacktestSource {
  readonly lanes?: string;
  readonly report?: string;
  readonly csv?: string;
  readonly minPrecision?: string;
  readonly minRecall?: string;
}

/** So many bytes of files are worth a thread more. */
const BYTES_OF_LANE = 4 << 20;
const LANES_MAX = 16;

/** History through the engine, measured by labels. 1: a threshold was not reached. */
export async function backtestCommand(options: BacktestOptions, output: Output): Promise<number> {
  const thresholds = { precision: shareOf(options, 'minPrecision'), recall: shareOf(options, 'minRecall') };
  const lanesAsked = lanesOf(options);
  const now = (): number => performance.now() / 1000;
  const started = now();
  const prepared = await prepare(options, output);
  try {
    const { streams, rules } = prepared;
    const lanes = lanesAsked ?? lanesFor(streams);
    const others = Array.from({ length: lanes - 1 }, (_, i) => spawnLane(options, { index: i + 1, of: lanes }));
    const progress = {
      onProgress: (fraction: number, events: number) =>
        output.progress(progressLine(fraction, events, now() - started)),
      onBadRow: badRowPrinter(output),
    };
    const done = await openOrFail(() => backtest({ ...prepared.input, now, progress }, others));
    output.progress('');
    const measured = measure(done, rules.sweep, rules.defaults);
    const result = resultOf(measured);
    const failures = below(result, thresholds);
    if (options.report !== undefined)
      await writeFile(options.report, reportOf(measured, { title: prepared.title, parity: null }));
    if (options.csv !== undefined) await writeFile(options.csv, csvOf(measured));
    output.result({ ...result, lanes, failures }, () => [...summary(measured, result), ...failures].join('\n'));
    return failures.length === 0 ? 0 : 1;
  } finally {
    for (const stream of prepared.streams) await stream.file.close();
  }
}

/** One for each core, where the files are worth it. */
function lanesFor(streams: readonly FileStream[]): number {
  const bytes = streams.reduce((sum, { file }) => sum + file.bytesTotal, 0);
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(bytes / BYTES_OF_LANE), LANES_MAX));
}

function lanesOf({ lanes }: BacktestOptions): number | undefined {
  if (lanes === undefined || lanes === 'auto') return undefined;
  const count = Number(lanes);
  if (Number.isInteger(count) && count >= 1 && count <= LANES_MAX) return count;
  throw new CommandError(`--lanes takes auto, or a number from 1 to ${LANES_MAX}, not ${lanes}.`);
}

function shareOf(options: BacktestOptions, name: 'minPrecision' | 'minRecall'): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  const flag = name === 'minPrecision' ? '--min-precision' : '--min-recall';
  throw new CommandError(`${flag} takes a number from 0 to 1, not ${text}.`);
}

/** What is below the thresholds, in words. Without labels nothing reaches a threshold. */
function below(result: BacktestResult, thresholds: { precision?: number; recall?: number }): string[] {
  return (['precision', 'recall'] as const).flatMap((name) => {
    const least = thresholds[name];
    const value = result[name];
    if (least === undefined || (value !== null && value >= least)) return [];
    return [
      `${name} is ${value === null ? 'not known: there are no labels' : value.toFixed(4)}, and must be ${least}.`,
    ];
  });
}
