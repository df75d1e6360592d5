import type { Alert } from '../../runtime/ports/alert.js';
import type { AlertStore, Snooze } from '../../runtime/ports/alert-store.js';
import type { Clock } from '../../runtime/ports/clock.js';

const KNOWN_MS = 2_000;
const SNOOZES_MAX = 10_000;

/** The snoozes that have not ended, kept for some moments, so that an alert that comes needs no question to the store. */
export class ActiveSnoozes {
  private byKey = new Map<string, readonly Snooze[]>();
  private readAt = Number.NEGATIVE_INFINITY;
  private reading = false;

  constructor(
    private readonly store: Pick<AlertStore, 'snoozes'>,
    private readonly clock: Clock,
  ) {}

  /** As of the last time it was read; reads it again in the background where that is some time ago. */
  isSnoozed({ key, patternId }: Alert): boolean {
    const now = this.clock.now();
    if (now - this.readAt >= KNOWN_MS) void this.refresh();
    const of = this.byKey.get(key) ?? [];
    return of.some(({ pattern, until }) => until > now && (pattern === null || pattern === patternId));
  }

  async refresh(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    const now = this.clock.now();
    try {
      const all = await this.store.snoozes(SNOOZES_MAX, null, now);
      this.byKey = Map.groupBy(all, ({ key }) => key);
    } catch {
      // Requests to the store tell that it is away; until it is back, those known count.
    } finally {
      this.readAt = now;
      this.reading = false;
    }
  }
}
