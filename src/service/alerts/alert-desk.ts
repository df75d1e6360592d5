import { randomUUID } from 'node:crypto';
import type { Alert } from '../../runtime/ports/alert.js';
import type {
  AlertGroup,
  AlertStore,
  Feedback,
  Snooze,
  StoredAlert,
  Verdict,
} from '../../runtime/ports/alert-store.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { type Page, type PageQuery, pageFrom } from '../paging/page.js';
import { notFound, unavailable } from '../problems/problem.js';
import type { ActiveSnoozes } from './active-snoozes.js';
import type { AlertPageQuery } from './alert-query.js';

/** Other alerts of the same key that come with one. */
const RELATED_MAX = 20;

/** How far back alerts in shadow are counted where nobody says. */
const SHADOW_MS = 7 * 86_400_000;

export interface AlertDetail extends StoredAlert {
  /** The newest first. */
  readonly feedback: readonly Feedback[];
  /** Others of the same key, the newest first. */
  readonly related: readonly StoredAlert[];
}

export interface AlertDeskOptions {
  readonly store: AlertStore;
  readonly clock: Clock;
  readonly snoozes: ActiveSnoozes;
  /** One that is on the topic, but not in the store yet. */
  readonly latest: (id: string) => Alert | undefined;
}

/** What people do with alerts. Throws problems; one with 503 while the store is away. */
export class AlertDesk {
  constructor(private readonly options: AlertDeskOptions) {}

  async list({ filter, limit, cursor }: AlertPageQuery): Promise<Page<StoredAlert>> {
    const found = await this.ask((store, now) => store.list(filter, limit + 1, cursor, now));
    return pageFrom(found, limit, ({ alert }) => ({ at: alert.detectedAt, id: alert.id }));
  }

  async groups({ filter, limit, cursor }: AlertPageQuery): Promise<Page<AlertGroup>> {
    const found = await this.ask((store, now) => store.groups(filter, limit + 1, cursor, now));
    return pageFrom(found, limit, ({ lastAt, last }) => ({ at: lastAt, id: last.alert.id }));
  }

  async one(id: string): Promise<AlertDetail> {
    const stored = (await this.ask((store, now) => store.get(id, now))) ?? this.latest(id);
    if (stored === null) throw notFound('There is no alert with this id, or it is no longer kept.');
    const { key } = stored.alert;
    const [feedback, others] = await Promise.all([
      this.ask((store) => store.feedbackOf(id)),
      this.ask((store, now) => store.list({ key }, RELATED_MAX + 1, null, now)),
    ]);
    const related = others.filter(({ alert }) => alert.id !== id).slice(0, RELATED_MAX);
    return { ...stored, feedback, related };
  }

  async judge(alertId: string, verdict: Verdict, note: string, author: string): Promise<Feedback> {
    const feedback = { id: randomUUID(), alertId, verdict, note, author, at: this.options.clock.now() };
    const isKnown = await this.ask((store) => store.addFeedback(feedback));
    if (!isKnown) throw notFound('There is no alert with this id, or it is no longer kept.');
    return feedback;
  }

  async snooze(wanted: Pick<Snooze, 'key' | 'pattern' | 'until' | 'reason'>, author: string): Promise<Snooze> {
    const snooze = { ...wanted, id: randomUUID(), author, at: this.options.clock.now() };
    await this.ask((store) => store.addSnooze(snooze));
    await this.options.snoozes.refresh();
    return snooze;
  }

  async snoozes({ limit, cursor }: PageQuery): Promise<Page<Snooze>> {
    const found = await this.ask((store, now) => store.snoozes(limit + 1, cursor, now));
    return pageFrom(found, limit, ({ until, id }) => ({ at: until, id }));
  }

  async wake(id: string): Promise<Snooze> {
    const snooze = await this.ask((store) => store.removeSnooze(id));
    if (snooze === null) throw notFound('There is no snooze with this id.');
    await this.options.snoozes.refresh();
    return snooze;
  }

  /** What a pattern finds in shadow, against what a live one finds; `from` and `to`: event time. */
  async shadow(pattern: string, against: string, range: { readonly from?: number; readonly to?: number }) {
    const to = range.to ?? this.options.clock.now();
    const from = range.from ?? to - SHADOW_MS;
    const [first, second] = [
      { pattern, kind: 'shadow' },
      { pattern: against, kind: 'live' },
    ] as const;
    const [shadow, live, keys] = await Promise.all([
      this.ask((store) => store.totals(first, from, to)),
      this.ask((store) => store.totals(second, from, to)),
      this.ask((store) => store.overlap(first, second, from, to)),
    ]);
    const { both, onlyFirst, onlySecond } = keys;
    return {
      ...{ from, to, shadow: { ...first, ...shadow }, live: { ...second, ...live } },
      ...{ bothKeys: both, onlyShadowKeys: onlyFirst, onlyLiveKeys: onlySecond },
    };
  }

  async ask<T>(act: (store: AlertStore, now: number) => Promise<T>): Promise<T> {
    const { store, clock } = this.options;
    try {
      await store.open();
      return await act(store, clock.now());
    } catch (cause) {
      throw unavailable('ALERT_STORE_AWAY', 'The store of alerts does not answer.', cause);
    }
  }

  private latest(id: string): StoredAlert | null {
    const alert = this.options.latest(id);
    if (alert === undefined) return null;
    return { alert, state: this.options.snoozes.isSnoozed(alert) ? 'snoozed' : 'open' };
  }
}
