import type { Backtest } from './backtest.js';
import { differenceIntervals, type Shares } from './metrics/bootstrap.js';
import { type DetectionFigures, detection } from './metrics/detection.js';
import type { Interval } from './metrics/interval.js';
import { averagePrecision, curve, scoreGroups } from './metrics/ranking.js';
import type { Accused, Verdicts } from './metrics/verdicts.js';

/** An accused transaction that one of two rule sets accuses, or both, with an alert that does. */
export interface ChangedSample {
  readonly id: string;
  readonly time: number;
  readonly amount: number;
  readonly isFraud: boolean;
  readonly rule: string;
  readonly key: string;
  readonly message: string;
}

/** What only one of the two accuses, or both. */
export interface Changed {
  readonly accused: number;
  readonly truePositives: number;
  readonly byRule: Readonly<Record<string, { readonly accused: number; readonly truePositives: number }>>;
  /** Frauds and others, the earliest of each. */
  readonly samples: readonly ChangedSample[];
}

/** A rule set beside the one that it is to replace. */
export interface Comparison {
  readonly baseline: DetectionFigures & { readonly alerts: number; readonly averagePrecision: number };
  /** Ours less the baseline's, and its interval of 95 %. */
  readonly difference: Shares<number>;
  readonly intervals: Shares<Interval>;
  readonly new: Changed;
  readonly lost: Changed;
  /** Accused by both; rules and samples are ours. */
  readonly common: Changed;
  /** Rules that are in one of the two alone, or with another meaning. */
  readonly rules: { readonly added: string[]; readonly changed: string[]; readonly removed: string[] };
}

const SAMPLES_MAX = 5;

/** @param set index of the baseline in the plan. */
export function compare(done: Backtest, ours: Verdicts, theirs: Verdicts, set: number): Comparison {
  const [a, b] = [detection(ours), detection(theirs)];
  const accusedByUs = new Set(ours.accused.map((accused) => accused.subject.id));
  const accusedByThem = new Set(theirs.accused.map((accused) => accused.subject.id));
  const common = ours.accused.filter((accused) => accusedByThem.has(accused.subject.id));
  return {
    baseline: {
      ...b,
      alerts: theirs.alerts.length,
      averagePrecision: averagePrecision(curve(scoreGroups(theirs))),
    },
    difference: { precision: a.precision - b.precision, recall: a.recall - b.recall, f1: a.f1 - b.f1 },
    intervals: differenceIntervals(ours, theirs),
    new: changed(
      done,
      ours.accused.filter((accused) => !accusedByThem.has(accused.subject.id)),
    ),
    lost: changed(
      done,
      theirs.accused.filter((accused) => !accusedByUs.has(accused.subject.id)),
    ),
    common: changed(done, common),
    rules: changedRules(done, set),
  };
}

function changed(done: Backtest, accused: readonly Accused[]): Changed {
  const { rules } = done.plan;
  const byRule: Record<string, { accused: number; truePositives: number }> = {};
  for (const { rules: own, fraud } of accused) {
    for (const id of new Set(own.map((index) => rules[index]!.id))) {
      const before = byRule[id] ?? { accused: 0, truePositives: 0 };
      byRule[id] = { accused: before.accused + 1, truePositives: before.truePositives + (fraud === null ? 0 : 1) };
    }
  }
  const byTime = accused.toSorted((a, b) => a.subject.time - b.subject.time || (a.subject.id < b.subject.id ? -1 : 1));
  const frauds = byTime.filter((a) => a.fraud !== null).slice(0, SAMPLES_MAX);
  const others = byTime.filter((a) => a.fraud === null).slice(0, SAMPLES_MAX);
  return {
    accused: accused.length,
    truePositives: accused.filter((a) => a.fraud !== null).length,
    byRule,
    samples: samplesOf(done, [...frauds, ...others]),
  };
}

function samplesOf({ plan, findings }: Backtest, accused: readonly Accused[]): ChangedSample[] {
  const wanted = new Map(accused.map((a) => [a.subject.id, a]));
  const samples = new Map<string, ChangedSample>();
  for (const { rule, subjects, note } of findings.list) {
    for (const index of subjects) {
      const { id, time, amount } = findings.subjects[index]!;
      const of = wanted.get(id);
      if (of === undefined || samples.has(id) || !of.rules.includes(rule)) continue;
      const { key, message } = note ?? { key: '', message: '' };
      samples.set(id, { id, time, amount, isFraud: of.fraud !== null, rule: plan.rules[rule]!.id, key, message });
    }
  }
  return accused.flatMap((a) => samples.get(a.subject.id) ?? []);
}

function changedRules({ plan }: Backtest, set: number): Comparison['rules'] {
  const of = (index: number) => new Map(plan.sets[index]!.rules.map((rule) => [plan.rules[rule]!.id, rule]));
  const [ours, theirs] = [of(0), of(set)];
  const changedIds = [...ours].filter(([id, rule]) => theirs.has(id) && theirs.get(id) !== rule).map(([id]) => id);
  return {
    added: [...ours.keys()].filter((id) => !theirs.has(id)),
    changed: changedIds,
    removed: [...theirs.keys()].filter((id) => !ours.has(id)),
  };
}
