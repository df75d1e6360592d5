import type { Backtest } from './backtest.js';
import { detectionFigures } from './metrics/detection.js';
import { thinned } from './metrics/thinned.js';

/** What one rule does alone. */
export interface RuleFigures {
  /** Alerts that count. */
  readonly alerts: number;
  readonly accused: number;
  readonly truePositives: number;
  readonly precision: number | null;
  readonly recall: number | null;
}

const CURVE_POINTS_MAX = 200;

/** The result as JSON. Figures that need labels are `null` without them. */
export function resultOf({ rules, run, verdicts, evaluation }: Backtest) {
  const { protocol } = verdicts;
  const { events, late, badRows, seconds, eventsPerSecond, digest } = run;
  const figures = evaluation?.detection ?? null;
  return {
    events,
    alerts: verdicts.alerts.length,
    precision: figures?.precision ?? null,
    recall: figures?.recall ?? null,
    f1: figures?.f1 ?? null,
    averagePrecision: evaluation?.averagePrecision ?? null,
    rocAuc: evaluation?.rocAuc ?? null,
    seconds,
    eventsPerSecond,
    digest,
    byScenario: evaluation?.byScenario ?? {},
    byRule: byRule({ rules, verdicts, evaluation }),
    detection: figures,
    topK: evaluation?.topK ?? null,
    curve: evaluation === null ? [] : thinned(evaluation.curve, CURVE_POINTS_MAX),
    scored: verdicts.size,
    range: { from: moment(protocol.from), to: moment(protocol.to) },
    profile: protocol.profile,
    late,
    badRows,
  };
}

export type BacktestResult = ReturnType<typeof resultOf>;

function byRule({ rules, verdicts, evaluation }: Pick<Backtest, 'rules' | 'verdicts' | 'evaluation'>) {
  const frauds = verdicts.frauds.length;
  return Object.fromEntries(
    rules.map((rule, index): [string, RuleFigures] => {
      const accused = verdicts.accused.filter((a) => a.rules.includes(index));
      const figures = detectionFigures(accused.length, accused.filter((a) => a.fraud !== null).length, frauds);
      const { truePositives, precision, recall } = figures;
      const alerts = verdicts.alerts.filter((alert) => alert.rule === index).length;
      const known = evaluation !== null;
      const shares = { precision: known ? precision : null, recall: known ? recall : null };
      return [rule.id, { alerts, accused: accused.length, truePositives, ...shares }];
    }),
  );
}

const moment = (time: number): string | null => (Number.isFinite(time) ? new Date(time).toISOString() : null);
