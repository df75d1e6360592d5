import type { Fraud } from '../findings/population.js';
import { share } from './detection.js';
import { quantile } from './quantile.js';
import { groupBy } from './top-k.js';
import type { Verdicts } from './verdicts.js';

/** One fraud of several transactions: of one case, or of one key without a long gap. */
interface Episode {
  /** In order of time. */
  readonly frauds: readonly Fraud[];
}

/** How soon frauds are noticed. Times are event time; money is in units of the currency. */
export interface DelayFigures {
  /** Frauds that began in the range, and of those the noticed ones. */
  readonly episodes: number;
  readonly noticed: number;
  /** Transactions of a noticed fraud up to the one at which it was noticed, that one included. */
  readonly eventsMedian: number | null;
  readonly eventsMean: number | null;
  /** From its first transaction to the first alert, in minutes. */
  readonly minutesMedian: number | null;
  readonly minutes90: number | null;
  /** `null`: no field of money is named. */
  readonly money: {
    readonly atStake: number;
    /** Of transactions that are accused. */
    readonly accused: number;
    /** Of transactions that came after the first alert of their fraud: what could have been stopped at once. */
    readonly saved: number;
  } | null;
}

/** Frauds that began before the range are left out: how soon they were noticed cannot be told. */
export function delay(verdicts: Verdicts): DelayFigures {
  const firstAlert = new Map(verdicts.accused.flatMap((a) => (a.fraud === null ? [] : [[a.fraud.id, a.at] as const])));
  const episodes = episodesOf(verdicts);
  const events: number[] = [];
  const minutes: number[] = [];
  let saved = 0;
  for (const { frauds } of episodes) {
    const at = Math.min(...frauds.map((fraud) => firstAlert.get(fraud.id) ?? Number.POSITIVE_INFINITY));
    if (at === Number.POSITIVE_INFINITY) continue;
    events.push(frauds.filter((fraud) => fraud.time <= at).length);
    minutes.push((at - frauds[0]!.time) / 60_000);
    saved += moneyOf(frauds.filter((fraud) => fraud.time > at));
  }
  const caught = verdicts.accused.flatMap((a) => a.fraud ?? []);
  return {
    episodes: episodes.length,
    noticed: events.length,
    eventsMedian: quantile(events, 0.5),
    eventsMean:
      events.length === 0
        ? null
        : share(
            events.reduce((sum, n) => sum + n, 0),
            events.length,
          ),
    minutesMedian: quantile(minutes, 0.5),
    minutes90: quantile(minutes, 0.9),
    money:
      verdicts.protocol.amount === null ? null : { atStake: moneyOf(verdicts.frauds), accused: moneyOf(caught), saved },
  };
}

function episodesOf({ population, protocol, frauds }: Verdicts): Episode[] {
  const isScored = new Set(frauds);
  const byTime = population.frauds.toSorted((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
  const all: Episode[] = [];
  for (const group of groupBy(byTime, keyOf).values()) {
    const hasCase = group[0]!.label.episode !== null;
    all.push(...(hasCase ? [{ frauds: group }] : split(group, protocol.episodeGapMs)));
  }
  const begun = all.filter((episode) => isScored.has(episode.frauds[0]!));
  return begun.map((episode) => ({ frauds: episode.frauds.filter((fraud) => isScored.has(fraud)) }));
}

const keyOf = ({ label, episodeKey, id }: Fraud): string => {
  if (label.episode !== null) return `case ${label.episode}`;
  return episodeKey === '' ? `id ${id}` : `key ${episodeKey}`;
};

function split(frauds: readonly Fraud[], gapMs: number): Episode[] {
  const episodes: Fraud[][] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const fraud of frauds) {
    if (fraud.time - before > gapMs) episodes.push([]);
    episodes.at(-1)!.push(fraud);
    before = fraud.time;
  }
  return episodes.map((own) => ({ frauds: own }));
}

const moneyOf = (frauds: readonly Fraud[]): number => frauds.reduce((sum, fraud) => sum + fraud.amount, 0);
