import { dayOf } from '../findings/population.js';
import { share } from './detection.js';
import type { Interval } from './interval.js';
import { quantile } from './quantile.js';
import type { Verdicts } from './verdicts.js';

/** Precision, recall and F1, or differences of them. */
export interface Shares<T> {
  readonly precision: T;
  readonly recall: T;
  readonly f1: T;
}

interface DayCounts {
  readonly accused: number;
  readonly truePositives: number;
  readonly frauds: number;
}

const ROUNDS = 1000;
const SEED = 20_180_801;
const NAMES = ['precision', 'recall', 'f1'] as const;

/**
 * Intervals of 95 % by resampling whole days (Efron's percentile bootstrap): what happens on one day hangs together, as the payments at one
 * compromised terminal do, so days are drawn and not transactions. The same input gives the same intervals.
 */
export function dayIntervals(verdicts: Verdicts): Shares<Interval> {
  const days = countsByDay(verdicts);
  return intervals(days.length, (picks) => sharesOf(picks, days));
}

/** Of the difference between two rule sets over the same population: the same days are drawn for both. */
export function differenceIntervals(one: Verdicts, other: Verdicts): Shares<Interval> {
  const [ours, theirs] = [countsByDay(one), countsByDay(other)];
  return intervals(ours.length, (picks) => {
    const [a, b] = [sharesOf(picks, ours), sharesOf(picks, theirs)];
    return { precision: a.precision - b.precision, recall: a.recall - b.recall, f1: a.f1 - b.f1 };
  });
}

function intervals(days: number, of: (picks: Uint32Array) => Shares<number>): Shares<Interval> {
  const random = generator(SEED);
  const picks = new Uint32Array(days);
  const rounds = Array.from({ length: days === 0 ? 0 : ROUNDS }, () => {
    for (let i = 0; i < days; i++) picks[i] = Math.floor(random() * days);
    return of(picks);
  });
  const interval = (name: (typeof NAMES)[number]): Interval => {
    const values = rounds.map((round) => round[name]);
    return { low: quantile(values, 0.025) ?? 0, high: quantile(values, 0.975) ?? 0 };
  };
  return { precision: interval('precision'), recall: interval('recall'), f1: interval('f1') };
}

function sharesOf(picks: Uint32Array, days: readonly DayCounts[]): Shares<number> {
  let accused = 0;
  let truePositives = 0;
  let frauds = 0;
  for (const pick of picks) {
    const day = days[pick]!;
    accused += day.accused;
    truePositives += day.truePositives;
    frauds += day.frauds;
  }
  return {
    precision: share(truePositives, accused),
    recall: share(truePositives, frauds),
    f1: share(2 * truePositives, accused + frauds),
  };
}

function countsByDay({ accused, frauds, population }: Verdicts): DayCounts[] {
  const counts = new Map<number, { accused: number; truePositives: number; frauds: number }>();
  for (const day of population.days()) counts.set(day, { accused: 0, truePositives: 0, frauds: 0 });
  for (const { subject, fraud } of accused) {
    const day = counts.get(dayOf(subject.time));
    if (day === undefined) continue;
    day.accused++;
    if (fraud !== null) day.truePositives++;
  }
  for (const fraud of frauds) {
    const day = counts.get(dayOf(fraud.time));
    if (day !== undefined) day.frauds++;
  }
  return [...counts.values()];
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
