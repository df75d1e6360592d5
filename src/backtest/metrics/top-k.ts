import { mixBits } from '../../engine/index.js';
import { dayOf } from '../findings/population.js';
import { share } from './detection.js';
import type { Accused, Verdicts } from './verdicts.js';

/** Precision among the first k of each day, averaged over the days. */
export interface TopKFigures {
  readonly k: number;
  readonly days: number;
  readonly transactions: number;
  /** Cards whose fraud was among the first k are left out on later days. `null`: no field names the card. */
  readonly cards: number | null;
  /** The highest that any ranking could reach. */
  readonly cardsAtBest: number | null;
}

export function topK(verdicts: Verdicts): TopKFigures {
  const { protocol, population } = verdicts;
  const days = population.days();
  const accusedOf = groupBy(verdicts.accused, (a) => dayOf(a.subject.time));
  const fraudsOf = groupBy(verdicts.frauds, (f) => dayOf(f.time));
  const of = (day: number) => ({ accused: accusedOf.get(day) ?? [], frauds: fraudsOf.get(day) ?? [] });
  const k = protocol.topK;
  const transactions = days.map((day) => {
    const { accused, frauds } = of(day);
    return transactionsOfDay(accused, frauds.length, population.sizeOf(day), k);
  });
  const byCard = protocol.card === null ? null : cardsByDay(verdicts, days, of);
  return {
    ...{ k, days: days.length, transactions: mean(transactions) },
    cards: byCard === null ? null : mean(byCard.precision),
    cardsAtBest: byCard === null ? null : mean(byCard.best),
  };
}

/** Those that tie at the last place count by their average: as any order of them would give in the mean. */
function transactionsOfDay(accused: readonly Accused[], frauds: number, size: number, k: number): number {
  let left = k;
  let found = 0;
  let rest = frauds;
  for (const tied of [...groupBy(accused, (a) => a.score)].sort(([a], [b]) => b - a).map(([, group]) => group)) {
    const hits = tied.filter((a) => a.fraud !== null).length;
    rest -= hits;
    const taken = Math.min(left, tied.length);
    found += share(hits * taken, tied.length);
    left -= taken;
  }
  const others = size - accused.length;
  found += share(rest * Math.min(left, others), others);
  return found / k;
}

type OfDay = (day: number) => { readonly accused: readonly Accused[]; readonly frauds: Verdicts['frauds'] };

/**
 * As the fraud-detection handbook measures it: a card scores what its highest transaction of the day does, and a card that was
 * found is not looked into again. Cards that tie come in an order that is random, and always the same.
 */
function cardsByDay({ population, protocol }: Verdicts, days: readonly number[], of: OfDay) {
  const isKnown = new Set<string>();
  const isKnownAtBest = new Set<string>();
  const precision: number[] = [];
  const best: number[] = [];
  for (const day of days) {
    const { accused, frauds } = of(day);
    const isFraud = new Set(frauds.map((fraud) => fraud.card));
    const scores = new Map<string, number>();
    for (const { subject, score } of accused) scores.set(subject.card, Math.max(score, scores.get(subject.card) ?? 0));
    const ranked = population
      .cardsOf(day)
      .filter((card) => !isKnown.has(card))
      .map((card) => ({ card, score: scores.get(card) ?? 0, tie: tieOf(card, day) }))
      .sort((a, b) => b.score - a.score || a.tie - b.tie);
    const found = ranked.slice(0, protocol.topK).filter(({ card }) => isFraud.has(card));
    for (const { card } of found) isKnown.add(card);
    precision.push(found.length / protocol.topK);
    const possible = [...isFraud].filter((card) => !isKnownAtBest.has(card)).slice(0, protocol.topK);
    for (const card of possible) isKnownAtBest.add(card);
    best.push(possible.length / protocol.topK);
  }
  return { precision, best };
}

/** A hash of card and day (FNV-1a, then the finish of MurmurHash3). */
function tieOf(card: string, day: number): number {
  let hash = Math.imul(0x811c9dc5 ^ day, 0x01000193);
  for (let i = 0; i < card.length; i++) hash = Math.imul(hash ^ card.charCodeAt(i), 0x01000193);
  return mixBits(hash) >>> 0;
}

export const mean = (values: readonly number[]): number =>
  share(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );

export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
