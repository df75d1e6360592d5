import type { Measured } from './measure.js';
import { thinned } from './metrics/thinned.js';

/** What one rule does, alone and for the whole set. */
export interface RuleFigures {
  /** Alerts that count. */
  readonly alerts: number;
  readonly accused: number;
  readonly truePositives: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  /** Accused that no other rule accuses. */
  readonly onlyAccused: number;
  readonly onlyTruePositives: number;
  /** What the set has more with this rule than without it. */
  readonly marginal: { readonly precision: number; readonly recall: number; readonly f1: number } | null;
}

const CURVE_POINTS_MAX = 200;

/** The result as JSON. Figures that need labels are `null` without them. */
export function resultOf(measured: Measured) {
  const { done, verdicts, evaluation, workload, comparison, sweep } = measured;
  const { protocol, run } = done;
  const figures = evaluation?.detection ?? null;
  return {
    events: run.events,
    alerts: verdicts.alerts.length,
    precision: figures?.precision ?? null,
    recall: figures?.recall ?? null,
    f1: figures?.f1 ?? null,
    averagePrecision: evaluation?.averagePrecision ?? null,
    rocAuc: evaluation?.rocAuc ?? null,
    seconds: run.seconds,
    eventsPerSecond: run.eventsPerSecond,
    digest: run.digest,
    byScenario: evaluation?.byScenario ?? {},
    byRule: byRule(measured),
    overlap: evaluation?.overlap ?? null,
    detection: figures,
    intervals: evaluation?.intervals ?? null,
    topK: evaluation?.topK ?? null,
    delay: evaluation?.delay ?? null,
    workload,
    cost:
      evaluation?.cost == null ? null : { ...evaluation.cost, curve: thinned(evaluation.cost.curve, CURVE_POINTS_MAX) },
    curve: evaluation === null ? [] : thinned(evaluation.curve, CURVE_POINTS_MAX),
    comparison,
    sweep,
    scored: verdicts.size,
    range: { from: moment(protocol.from), to: moment(protocol.to) },
    profile: protocol.profile,
    late: run.late,
    nearMisses: run.nearMisses,
    badRows: run.badRows,
  };
}

export type BacktestResult = ReturnType<typeof resultOf>;

function byRule({ done, verdicts, evaluation }: Measured): Readonly<Record<string, RuleFigures>> {
  const { plan } = done;
  return Object.fromEntries(
    plan.sets[0].rules.map((index, place): [string, RuleFigures] => {
      const contribution = evaluation?.contributions[place] ?? null;
      const { accused, truePositives, precision, recall, f1 } = contribution?.alone ?? without(measuredRule(index));
      const figures = {
        alerts: verdicts.alerts.filter((alert) => alert.rule === index).length,
        ...{ accused, truePositives, precision, recall, f1 },
        onlyAccused: contribution?.onlyAccused ?? 0,
        onlyTruePositives: contribution?.onlyTruePositives ?? 0,
        marginal: contribution?.marginal ?? null,
      };
      return [plan.rules[index]!.id, figures];
    }),
  );

  function measuredRule(index: number): number {
    return verdicts.accused.filter((a) => a.rules.includes(index)).length;
  }
}

const without = (accused: number) => ({ accused, truePositives: 0, precision: null, recall: null, f1: null });

const moment = (time: number): string | null => (Number.isFinite(time) ? new Date(time).toISOString() : null);
