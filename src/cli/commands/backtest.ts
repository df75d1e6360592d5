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
  readonly minF1?: string;
  readonly minAveragePrecision?: string;
}

/** History through the engine, measured by labels. 1: a threshold was not reached. */
export async function backtestCommand(options: BacktestOptions, output: Output): Promise<number> {
  const thresholds = thresholdsOf(options);
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

/** Figures that a run may be asked to reach, and the options that ask. */
const THRESHOLDS = {
  precision: ['minPrecision', '--min-precision'],
  recall: ['minRecall', '--min-recall'],
  f1: ['minF1', '--min-f1'],
  averagePrecision: ['minAveragePrecision', '--min-average-precision'],
} as const;

type Figure = keyof typeof THRESHOLDS;
const FIGURES = Object.keys(THRESHOLDS) as readonly Figure[];
const CALLED: Readonly<Record<Figure, string>> = {
  ...{ precision: 'precision', recall: 'recall' },
  ...{ f1: 'F1', averagePrecision: 'average precision' },
};

/** Throws `CommandError`. */
function thresholdsOf(options: BacktestOptions): ReadonlyMap<Figure, number> {
  const thresholds = new Map<Figure, number>();
  for (const figure of FIGURES) {
    const [option, flag] = THRESHOLDS[figure];
    const text = options[option];
    if (text === undefined) continue;
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0 && value <= 1))
      throw new CommandError(`${flag} takes a number from 0 to 1, not ${text}.`);
    thresholds.set(figure, value);
  }
  return thresholds;
}

/** What is below the thresholds, in words. Without labels nothing reaches a threshold. */
function below(result: BacktestResult, thresholds: ReadonlyMap<Figure, number>): string[] {
  return [...thresholds].flatMap(([figure, least]) => {
    const value = result[figure];
    if (value !== null && value >= least) return [];
    const found = value === null ? 'not known: there are no labels' : value.toFixed(4);
    return [`${CALLED[figure]} is ${found}, and must be ${least}.`];
  });
}
