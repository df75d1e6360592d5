import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type Backtest, backtest } from '../../backtest/backtest.js';
import { measure } from '../../backtest/measure.js';
import { type Parity, parity } from '../../backtest/parity.js';
import { csvOf } from '../../backtest/report/csv.js';
import { reportOf } from '../../backtest/report/report.js';
import { type BacktestResult, resultOf } from '../../backtest/result.js';
import type { FileStream } from '../../backtest/run-files.js';
import { AlertTopicCodec } from '../../service/compose/alert-topic-codec.js';
import { makeRegistry } from '../../service/compose/stream-parts.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { type BacktestSource, type Prepared, prepare } from './backtest/prepare.js';
import { spawnLane } from './backtest/spawn-lane.js';
import { summary } from './backtest/summary.js';
import { badRowPrinter, grouped, openOrFail, progressLine } from './files.js';

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
    // A log belongs to one reader here.
    const lanes = prepared.log === null ? (lanesAsked ?? lanesFor(streams)) : 1;
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
    const live = await parityOf(prepared, done);
    const failures = below(result, thresholds);
    const { report, csv } = options;
    if (report !== undefined)
      await writeFile(report, reportOf(measured, { title: prepared.title, parity: told(live) }));
    if (csv !== undefined) await writeFile(csv, csvOf(measured));
    const said = told(live) === null ? [] : [told(live)!];
    output.result({ ...result, lanes, parity: live, failures }, () =>
      [...summary(measured, result), ...said, ...failures].join('\n'),
    );
    return failures.length === 0 ? 0 : 1;
  } finally {
    await prepared.close();
  }
}

/** Beside a service's own alerts, where the same topic is read that it reads. */
async function parityOf({ log, settings, rules }: Prepared, { protocol, run }: Backtest): Promise<Parity | null> {
  if (log === null) return null;
  const { topic: alertsTopic } = settings.alerts;
  const decoder = new AlertTopicCodec(makeRegistry(settings), alertsTopic);
  const own = rules.plan.sets[0].rules.map((index) => rules.plan.rules[index]!);
  return parity({ log, alertsTopic, decoder, rules: own, protocol, replayed: run });
}

function told(live: Parity | null): string | null {
  if (live === null) return null;
  const { equal, alertsLive, alertsReplayed } = live;
  if (equal) return `Parity: the ${grouped(alertsLive)} alerts that the service committed are the same.`;
  return `Parity: the service committed ${grouped(alertsLive)} alerts, digest ${live.live}; the back-test found ${grouped(alertsReplayed)}. stakeout verify tells which differ.`;
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
