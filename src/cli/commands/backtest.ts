import { writeFile } from 'node:fs/promises';
import { csvOf } from '../../backtest/report/csv.js';
import { reportOf } from '../../backtest/report/report.js';
import type { BacktestResult } from '../../backtest/result.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { parityLine } from './backtest/parity-line.js';
import { LANES_MAX, perform } from './backtest/perform.js';
import type { BacktestSource } from './backtest/prepare.js';
import { summary } from './backtest/summary.js';
import { badRowPrinter, progressLine } from './files.js';

export interface BacktestOptions extends BacktestSource {
  readonly lanes?: string;
  readonly report?: string;
  readonly csv?: string;
  readonly minPrecision?: string;
  readonly minRecall?: string;
}

/** History through the engine, measured by labels. 1: a threshold was not reached. */
export async function backtestCommand(options: BacktestOptions, output: Output): Promise<number> {
  const thresholds = { precision: shareOf(options, 'minPrecision'), recall: shareOf(options, 'minRecall') };
  const started = performance.now();
  const progress = {
    onProgress: (fraction: number, events: number) =>
      output.progress(progressLine(fraction, events, (performance.now() - started) / 1000)),
    onBadRow: badRowPrinter(output),
  };
  const { title, measured, result, lanes, live } = await perform(options, lanesOf(options), output, progress);
  output.progress('');
  const failures = below(result, thresholds);
  const { report, csv } = options;
  const parity = parityLine(live);
  if (report !== undefined) await writeFile(report, reportOf(measured, { title, parity }));
  if (csv !== undefined) await writeFile(csv, csvOf(measured));
  output.result({ ...result, lanes, parity: live, failures }, () =>
    [...summary(measured, result), ...(parity === null ? [] : [parity]), ...failures].join('\n'),
  );
  return failures.length === 0 ? 0 : 1;
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
