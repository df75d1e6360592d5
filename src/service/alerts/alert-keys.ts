import type { Rule } from '../../rules/index.js';
import type { Alert, AlertEvent } from '../../runtime/ports/alert.js';
import { isPseudonym } from '../../runtime/task/alert/pseudonyms.js';
import { notFound } from '../problems/problem.js';
import type { AlertDesk } from './alert-desk.js';

/** The key of an alert that has a pseudonym in its place; `null`: it cannot be told any more. */
export type KeyOf = (alert: Alert, rule: Rule) => Promise<string | null>;

/** What an alert is about. */
export interface AlertSubject {
  readonly key: string;
  /** Id of the rule. */
  readonly pattern: string;
  /** When it was complete, by event time, in ms. */
  readonly at: number;
  /** Its last event. */
  readonly last: AlertEvent | undefined;
}

/**
 * Tells the key of an alert by the alert's id, also where the alert has a pseudonym in its place: for questions about the key, by those alone who
 * may see it.
 */
export class AlertKeys {
  constructor(
    private readonly desk: Pick<AlertDesk, 'one'>,
    private readonly keyOf: KeyOf | undefined,
    private readonly rules: () => readonly Rule[],
  ) {}

  /** Throws a problem with 404 where there is no such alert, or its key cannot be told any more. */
  async subjectOf(id: string): Promise<AlertSubject> {
    const { alert } = await this.desk.one(id);
    const { key, patternId: pattern, detectedAt: at } = alert;
    const last = alert.steps.at(-1)?.events.at(-1);
    if (!isPseudonym(key)) return { key, pattern, at, last };
    const rule = this.rules().find((one) => one.id === pattern);
    const found = rule === undefined ? null : ((await this.keyOf?.(alert, rule)) ?? null);
    if (found === null)
      throw notFound(
        'The key of this alert cannot be told any more: its records are gone, or its pattern. Ask by the key.',
      );
    return { key: found, pattern, at, last };
  }
}
