import type { Backtest } from './backtest.js';
import { verdicts } from './backtest.js';
import { type Comparison, compare } from './compare.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { BASELINE } from './findings/collector.js';
import { cost } from './metrics/cost.js';
import { delay } from './metrics/delay.js';
import { type DetectionFigures, detection } from './metrics/detection.js';
import { averagePrecision, curve, scoreGroups } from './metrics/ranking.js';
import type { Verdicts } from './metrics/verdicts.js';
import { type WorkloadFigures, workload } from './metrics/workload.js';

/** One combination of parameters, measured. */
export interface SweepPoint extends DetectionFigures {
  readonly values: Readonly<Record<string, string>>;
  readonly alerts: number;
  readonly averagePrecision: number;
  /** Of fraud that is accused, and that came after the first alert of its case; `null`: no field of money is named. */
  readonly moneyAccused: number | null;
  readonly moneySaved: number | null;
  /** `null`: no price is named. */
  readonly cost: number | null;
}

export interface Sweep {
  readonly parameters: readonly string[];
  readonly points: readonly SweepPoint[];
  /** Index of the point with the rules' own defaults; `null`: it is none of them. */
  readonly chosen: number | null;
  /** Index of the point with the lowest cost, or the highest F1 where no price is named; the first of several. */
  readonly best: number;
}

/** All figures of a back-test. */
export interface Measured {
  readonly done: Backtest;
  readonly verdicts: Verdicts;
  readonly workload: WorkloadFigures;
  /** `null`: there are no labels. */
  readonly evaluation: Evaluation | null;
  readonly comparison: Comparison | null;
  readonly sweep: Sweep | null;
}

/** What the sets of the plan are that follow the first one, beside the baseline. */
export type SweepValues = readonly ReadonlyMap<string, string>[];

/** @param sweep values of the parameters in the last sets of the plan, one for each. */
export function measure(done: Backtest, sweep: SweepValues, defaults: ReadonlyMap<string, string | null>): Measured {
  const { sets } = done.plan;
  const own = verdicts(done, 0);
  const baseline = sets.findIndex((set) => set.name === BASELINE);
  const first = sets.length - sweep.length;
  return {
    done,
    verdicts: own,
    workload: workload(own),
    evaluation: done.labels === null ? null : evaluate(own, done.findings, sets[0].rules),
    comparison: baseline < 0 ? null : compare(done, own, verdicts(done, baseline), baseline),
    sweep: sweep.length === 0 ? null : sweepOf(sweep, (index) => verdicts(done, first + index), defaults),
  };
}

function sweepOf(
  sweep: SweepValues,
  of: (index: number) => Verdicts,
  defaults: ReadonlyMap<string, string | null>,
): Sweep {
  const points = sweep.map((values, index) => point(values, of(index)));
  const isBetter = (a: SweepPoint, b: SweepPoint): boolean =>
    a.cost !== null && b.cost !== null ? a.cost < b.cost : a.f1 > b.f1;
  const isChosen = (values: SweepPoint['values']): boolean =>
    Object.entries(values).every(([name, value]) => isSame(defaults.get(name) ?? null, value));
  const chosen = points.findIndex(({ values }) => isChosen(values));
  return {
    parameters: [...sweep[0]!.keys()],
    points,
    chosen: chosen < 0 ? null : chosen,
    best: points.reduce((best, candidate, index) => (isBetter(candidate, points[best]!) ? index : best), 0),
  };
}

const isSame = (one: string | null, other: string): boolean =>
  one !== null && (one === other || (one.trim() !== '' && Number(one) === Number(other)));

function point(values: ReadonlyMap<string, string>, of: Verdicts): SweepPoint {
  const money = delay(of).money;
  return {
    values: Object.fromEntries(values),
    ...detection(of),
    alerts: of.alerts.length,
    averagePrecision: averagePrecision(curve(scoreGroups(of))),
    moneyAccused: money?.accused ?? null,
    moneySaved: money?.saved ?? null,
    cost: cost(of)?.asItIs ?? null,
  };
}
