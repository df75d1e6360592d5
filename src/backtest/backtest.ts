import type { Rule } from '../rules/rule.js';
import type { RuleOptions } from '../runtime/task/keyed-engine.js';
import { Collector } from './collector.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type { Findings } from './findings.js';
import { readLabels } from './labels/labels.js';
import { type Verdicts, verdictsOf } from './metrics/verdicts.js';
import { Population } from './population.js';
import type { Protocol } from './protocol.js';
import { type FileStream, type RunListener, type RunResult, runFiles } from './run-files.js';

export type BacktestProgress = Pick<RunListener, 'onProgress' | 'onBadRow'>;

export interface Backtest {
  readonly rules: readonly Rule[];
  readonly run: RunResult;
  readonly findings: Findings;
  readonly verdicts: Verdicts;
  /** `null`: there are no labels. */
  readonly evaluation: Evaluation | null;
}

/**
 * Runs rules over files, and measures what they accuse in the scored range. Throws `RunError`, and `RecordFileError` for labels or
 * events that cannot be read.
 *
 * @param now a clock in seconds, for the figures.
 */
export async function backtest(
  streams: readonly FileStream[],
  rules: readonly Rule[],
  protocol: Protocol,
  progress: BacktestProgress,
  now: () => number,
  options: RuleOptions = {},
): Promise<Backtest> {
  const started = now();
  const labels = protocol.labels === null ? null : await readLabels(protocol.labels);
  const population = new Population(protocol, labels);
  const collector = new Collector(protocol, labels, rules, new Set(rules), population);
  const listener: RunListener = {
    onFound: (found) => collector.onFound(found),
    onRow: (stream, fields, time) => collector.onRow(stream, fields, time),
    fieldsOf: (stream) => collector.fieldsOf(stream),
    isEnough: (watermark) => collector.isEnough(watermark),
    ...progress,
  };
  const run = await runFiles(streams, rules, listener, now, options);
  const { findings } = collector;
  findings.sort();
  const verdicts = verdictsOf(findings, population, new Set(rules.keys()));
  const evaluation = labels === null ? null : evaluate(verdicts);
  const seconds = now() - started;
  const eventsPerSecond = Math.round(run.events / Math.max(seconds, 1e-9));
  return { rules, run: { ...run, seconds, eventsPerSecond }, findings, verdicts, evaluation };
}
