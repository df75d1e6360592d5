import type { Alert } from '../../runtime/ports/alert.js';
import { type AlertCursor, type AlertPageQuery, matches } from './alert-query.js';

/** Place of an alert's record on the alerts topic. */
export interface AlertPlace {
  readonly partition: number;
  readonly offset: number;
}

export interface PlacedAlert extends AlertPlace {
  readonly alert: Alert;
}

/**
 * The latest alerts, by event time.
 *
 * W1. `sorted` rises by (detectedAt, id); an id is in it once, and `byId` has the same alerts.
 * W2. At most `capacity`: the oldest goes.
 */
export class AlertWindow {
  private readonly sorted: PlacedAlert[] = [];
  private readonly byId = new Map<string, Alert>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.sorted.length;
  }

  /** `false` for one that is here already. */
  add(placed: PlacedAlert): boolean {
    const { alert } = placed;
    if (this.byId.has(alert.id)) return false;
    this.byId.set(alert.id, alert);
    this.sorted.splice(this.firstNotBefore(alert), 0, placed);
    if (this.sorted.length > this.capacity) {
      const oldest = this.sorted.shift() as PlacedAlert;
      this.byId.delete(oldest.alert.id);
    }
    return true;
  }

  get(id: string): Alert | undefined {
    return this.byId.get(id);
  }

  /** Newest first. `next` goes on behind the last one, `null` at the end. */
  page(query: AlertPageQuery): { readonly alerts: readonly Alert[]; readonly next: AlertCursor | null } {
    const alerts: Alert[] = [];
    const start = query.cursor === null ? this.sorted.length : this.firstNotBefore(query.cursor);
    for (let index = start - 1; index >= 0; index--) {
      const { alert } = this.sorted[index] as PlacedAlert;
      if (!matches(query, alert)) continue;
      if (alerts.length === query.limit) return { alerts, next: alerts.at(-1) as Alert };
      alerts.push(alert);
    }
    return { alerts, next: null };
  }

  /** Those whose place fits, by partition and offset. */
  where(test: (place: AlertPlace) => boolean): readonly PlacedAlert[] {
    return this.sorted.filter(test).sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  private firstNotBefore(at: AlertCursor): number {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore((this.sorted[middle] as PlacedAlert).alert, at)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(a: AlertCursor, b: AlertCursor): boolean {
  return a.detectedAt === b.detectedAt ? a.id < b.id : a.detectedAt < b.detectedAt;
}
