import type { RuleOptions } from '../runtime/task/keyed-engine.js';
import { Collector } from './collector.js';
import type { Findings } from './findings.js';
import { type Labels, readLabels } from './labels/labels.js';
import { type Verdicts, verdictsOf } from './metrics/verdicts.js';
import type { Plan } from './plan.js';
import { Population } from './population.js';
import type { Protocol } from './protocol.js';
import { type FileStream, type RunListener, type RunResult, runFiles } from './run-files.js';

export type BacktestProgress = Pick<RunListener, 'onProgress' | 'onBadRow'>;

/** What a run over history has found, before anything is measured. */
export interface Backtest {
  readonly plan: Plan;
  readonly protocol: Protocol;
  /** Digest and alerts are those of the first rule set. */
  readonly run: RunResult;
  readonly findings: Findings;
  readonly population: Population;
  /** `null`: there are none. */
  readonly labels: Labels | null;
}

/**
 * Runs the rules of a plan over files, and keeps what they accuse in the scored range. Throws `RunError`, and `RecordFileError` for
 * labels or events that cannot be read.
 *
 * @param now a clock in seconds, for the figures.
 */
export async function backtest(
  streams: readonly FileStream[],
  plan: Plan,
  protocol: Protocol,
  progress: BacktestProgress,
  now: () => number,
  options: RuleOptions = {},
): Promise<Backtest> {
  const started = now();
  const labels = protocol.labels === null ? null : await readLabels(protocol.labels);
  const population = new Population(protocol, labels);
  const collector = new Collector(protocol, labels, plan, population);
  const run = await runFiles(streams, plan.rules, collector.listener(progress), now, options);
  const { findings } = collector;
  findings.sort();
  const seconds = now() - started;
  const eventsPerSecond = Math.round(run.events / Math.max(seconds, 1e-9));
  return { plan, protocol, run: { ...run, seconds, eventsPerSecond }, findings, population, labels };
}

/** What one rule set of the plan says. */
export function verdicts({ plan, findings, population }: Backtest, set: number): Verdicts {
  return verdictsOf(findings, population, new Set(plan.sets[set]!.rules));
}
