import type { Severity } from '../../rules/rule.js';
import type { Alert } from './alert.js';

/** What people think of an alert: it was fraud, it was not, they cannot tell. */
export type Verdict = 'true' | 'false' | 'unsure';

export const VERDICTS: readonly Verdict[] = ['true', 'false', 'unsure'];

/**
 * `confirmed`, `dismissed`, `unsure`: by the latest feedback. Without any it is `snoozed` while someone wants to hear nothing of its
 * key, else `open`.
 */
export type AlertState = 'open' | 'confirmed' | 'dismissed' | 'unsure' | 'snoozed';

export const ALERT_STATES: readonly AlertState[] = ['open', 'confirmed', 'dismissed', 'unsure', 'snoozed'];

export interface Feedback {
  readonly id: string;
  readonly alertId: string;
  readonly verdict: Verdict;
  readonly note: string;
  readonly author: string;
  /** Milliseconds since 1970, as all times here. */
  readonly at: number;
}

/** Until a time nobody wants to hear of a key, in one pattern or (`null`) in any. */
export interface Snooze {
  readonly id: string;
  readonly key: string;
  readonly pattern: string | null;
  readonly until: number;
  readonly reason: string;
  readonly author: string;
  readonly at: number;
}

export interface StoredAlert {
  readonly alert: Alert;
  readonly state: AlertState;
}

/** Times are event time (`detectedAt`); `from` is included, `to` is not. */
export interface AlertFilter {
  readonly key?: string;
  /** Another key that fits as well as `key`. */
  readonly orKey?: string;
  readonly pattern?: string;
  readonly severity?: Severity;
  readonly state?: AlertState;
  readonly from?: number;
  readonly to?: number;
  /** Text that is in the title, the message, the key or the ids, whatever its case. */
  readonly q?: string;
}

/** Place in a list whose newest come first: what comes behind `at` and, of the same time, `id`. */
export interface AlertPlace {
  readonly at: number;
  readonly id: string;
}

/** Alerts of one key and pattern. */
export interface AlertGroup {
  readonly key: string;
  readonly keyField: string;
  readonly patternId: string;
  readonly count: number;
  /** Of them in state `open`. */
  readonly open: number;
  readonly scoreMax: number;
  /** Event time of the first and the last. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** The newest of them. */
  readonly last: StoredAlert;
}

export type AlertKind = 'live' | 'shadow';

/** What one kind of alerts of a pattern comes to. */
export interface AlertTotals {
  readonly alerts: number;
  readonly keys: number;
  readonly confirmed: number;
  readonly dismissed: number;
  readonly unsure: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

/** How two sets of alerts lie to each other, by their keys. */
export interface AlertOverlap {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/** One set of alerts: of a pattern, live or in shadow. */
export interface AlertSet {
  readonly pattern: string;
  readonly kind: AlertKind;
}

/**
 * Alerts as they were committed, and what people think of them. All methods may reject when the store is away.
 *
 * A1. An alert is there once, whatever how often it was added: the first time counts.
 * A2. Lists are in order of event time, then id, the newest first. A place stays one when alerts come or go.
 * A3. States are as of `now`: a snooze that has ended hides nothing any more.
 * A4. Alerts in shadow are in no list; `totals` and `overlap` alone tell of them.
 */
export interface AlertStore {
  /** Makes what is missing. To be called first; again after it has failed. */
  open(): Promise<void>;
  /** Names what is stored: who fills another copy has read nothing yet. Known after `open`. */
  readonly id: string;
  /** `now`: by it retention counts. */
  add(alerts: readonly Alert[], kind: AlertKind, now: number): Promise<void>;
  /** `null`: there is none, or no longer. */
  get(id: string, now: number): Promise<StoredAlert | null>;
  list(filter: AlertFilter, limit: number, after: AlertPlace | null, now: number): Promise<readonly StoredAlert[]>;
  /** By the time of the last; `id` of the place is that of the last alert. */
  groups(filter: AlertFilter, limit: number, after: AlertPlace | null, now: number): Promise<readonly AlertGroup[]>;
  totals(of: AlertSet, from: number, to: number): Promise<AlertTotals>;
  overlap(first: AlertSet, second: AlertSet, from: number, to: number): Promise<AlertOverlap>;
  /** `false`: there is no such alert, and nothing was kept. */
  addFeedback(feedback: Feedback): Promise<boolean>;
  /** The newest first. */
  feedbackOf(alertId: string): Promise<readonly Feedback[]>;
  addSnooze(snooze: Snooze): Promise<void>;
  /** Those that have not ended, in the order of their ends; then of their ids. */
  snoozes(limit: number, after: AlertPlace | null, now: number): Promise<readonly Snooze[]>;
  /** What it was; `null`: there is none. */
  removeSnooze(id: string): Promise<Snooze | null>;
  /** Forgets alerts that were added before `before`, and the oldest beyond `alertsMax`. Answers with their number. */
  prune(before: number, alertsMax: number): Promise<number>;
  count(): Promise<number>;
  close(): Promise<void>;
}

/** What `q` of a filter is looked for in: lower case. */
export function wordsOf({ id, patternId, title, message, key, steps }: Alert): string {
  const events = steps.flatMap((step) => step.events.map((event) => event.id));
  return [title, message, key, patternId, id, ...events].join('\n').toLowerCase();
}
