import type { Findings } from '../findings/findings.js';
import type { Fraud, Population } from '../findings/population.js';
import type { Subject } from '../findings/subjects.js';
import type { Protocol } from '../plan/protocol.js';

/** A subject that at least one alert of a rule set accuses. */
export interface Accused {
  readonly subject: Subject;
  /** `null`: it is genuine. */
  readonly fraud: Fraud | null;
  /** Of all alerts that accuse it, put together; 0 to 100. */
  readonly score: number;
  /** Event time at which the first of them was complete, in ms. */
  readonly at: number;
  /** Indices of their rules, ascending. */
  readonly rules: readonly number[];
}

/** An alert that counts: one that accuses somebody who is not accused yet, or any, as the protocol says. */
export interface CountedAlert {
  readonly rule: number;
  readonly at: number;
  readonly isRight: boolean;
}

/** What one rule set says of the population: the ground on which all figures stand. */
export interface Verdicts {
  readonly protocol: Protocol;
  readonly population: Population;
  readonly accused: readonly Accused[];
  readonly alerts: readonly CountedAlert[];
  /** All frauds that are scored. */
  readonly frauds: readonly Fraud[];
  /** Subjects in all. */
  readonly size: number;
}

interface Draft {
  readonly scores: Map<number, number>;
  at: number;
}

/**
 * @param findings in their order (`Findings.sort`).
 * @param rules indices of the rules that belong to the set.
 */
export function verdictsOf(findings: Findings, population: Population, rules: ReadonlySet<number>): Verdicts {
  const { protocol } = population;
  const frauds = protocol.of === 'alert' ? judgedAlerts(population) : population.scoredFrauds();
  const fraudOf = new Map(frauds.map((fraud) => [fraud.id, fraud]));
  const drafts = new Map<number, Draft>();
  const alerts: CountedAlert[] = [];
  for (const { rule, at, score, subjects } of findings.list) {
    if (!rules.has(rule)) continue;
    const scored = subjects.filter((index) => isScored(findings.subjects[index]!, population));
    if (scored.length === 0) continue;
    const isNew = scored.some((index) => !drafts.has(index));
    if (isNew || !protocol.onePerTransaction) {
      alerts.push({ rule, at, isRight: scored.some((index) => fraudOf.has(findings.subjects[index]!.id)) });
    }
    for (const index of scored) accuse(drafts, index, rule, score, at);
  }
  const accused = [...drafts].map(([index, { scores, at }]): Accused => {
    const subject = findings.subjects[index]!;
    return {
      subject,
      fraud: fraudOf.get(subject.id) ?? null,
      score: combined([...scores.values()], protocol.combine),
      at,
      rules: [...scores.keys()].sort((a, b) => a - b),
    };
  });
  const size =
    protocol.of === 'alert'
      ? new Set([...fraudOf.keys(), ...accused.map((a) => a.subject.id)]).size
      : population.size();
  return { protocol, population, accused, alerts, frauds, size };
}

const isScored = (subject: Subject, population: Population): boolean =>
  !population.isExcluded(subject.excludeKey, subject.time);

/** Alerts that were judged in an earlier run are the frauds that this one should find again. */
function judgedAlerts({ labels }: Population): Fraud[] {
  const known = [...(labels ?? [])].filter(([, label]) => label.isFraud);
  return known.map(([id, label]) => ({
    ...{ id, label, time: 0, amount: 0, card: '', episodeKey: '', excludeKey: '' },
    knownAt: label.knownAt ?? 0,
  }));
}

function accuse(drafts: Map<number, Draft>, index: number, rule: number, score: number, at: number): void {
  const draft = drafts.get(index);
  if (draft === undefined) drafts.set(index, { scores: new Map([[rule, score]]), at });
  else {
    draft.scores.set(rule, Math.max(score, draft.scores.get(rule) ?? 0));
    draft.at = Math.min(at, draft.at);
  }
}

/** The score of a subject of those that each rule gives it. */
function combined(scores: readonly number[], how: Protocol['combine']): number {
  if (how === 'max') return Math.max(...scores);
  if (how === 'sum')
    return Math.min(
      100,
      scores.reduce((sum, score) => sum + score, 0),
    );
  return 100 * (1 - scores.reduce((left, score) => left * (1 - score / 100), 1));
}
