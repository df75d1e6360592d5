import { dayOf } from '../findings/population.js';
import { quantile } from './quantile.js';
import type { Verdicts } from './verdicts.js';

/** What the alerts are as work. Days are UTC; a day of the range without alerts counts as one of none. */
export interface WorkloadFigures {
  readonly days: number;
  readonly alertsMean: number;
  readonly alertsMedian: number;
  readonly alerts95: number;
  readonly alertsMax: number;
  /** `null`: the protocol names no capacity. */
  readonly capacity: {
    readonly perDay: number;
    readonly daysAbove: number;
    /** Alerts that are still waiting at the end of the worst day, if what is left over is done on the next. */
    readonly backlogMax: number;
  } | null;
  /** Alerts by day, from the first day of the range on. */
  readonly byDay: readonly { readonly day: number; readonly alerts: number; readonly right: number }[];
}

export function workload({ alerts, population, protocol }: Verdicts): WorkloadFigures {
  const counts = new Map(population.days().map((day) => [day, { day, alerts: 0, right: 0 }]));
  for (const { at, isRight } of alerts) {
    const day = dayOf(at);
    const count = counts.get(day) ?? { day, alerts: 0, right: 0 };
    counts.set(day, { day, alerts: count.alerts + 1, right: count.right + (isRight ? 1 : 0) });
  }
  const byDay = [...counts.values()].sort((a, b) => a.day - b.day);
  const each = byDay.map((count) => count.alerts);
  return {
    days: byDay.length,
    alertsMean: byDay.length === 0 ? 0 : alerts.length / byDay.length,
    alertsMedian: quantile(each, 0.5) ?? 0,
    alerts95: quantile(each, 0.95) ?? 0,
    alertsMax: each.reduce((most, n) => Math.max(most, n), 0),
    capacity: protocol.capacity === null ? null : against(each, protocol.capacity),
    byDay,
  };
}

function against(each: readonly number[], perDay: number): WorkloadFigures['capacity'] {
  let backlog = 0;
  let backlogMax = 0;
  for (const alerts of each) {
    backlog = Math.max(0, backlog + alerts - perDay);
    backlogMax = Math.max(backlogMax, backlog);
  }
  return { perDay, daysAbove: each.filter((alerts) => alerts > perDay).length, backlogMax };
}
