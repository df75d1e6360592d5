import { firstWhere } from '../../runtime/bisect.js';
import type { Alert } from '../../runtime/ports/alert.js';

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

  /** Those whose place fits, by partition and offset. */
  where(test: (place: AlertPlace) => boolean): readonly PlacedAlert[] {
    return this.sorted.filter(test).sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  private firstNotBefore(at: Pick<Alert, 'detectedAt' | 'id'>): number {
    return firstWhere(0, this.sorted.length, (i) => !isBefore(this.sorted[i]!.alert, at));
  }
}

function isBefore(a: Pick<Alert, 'detectedAt' | 'id'>, b: Pick<Alert, 'detectedAt' | 'id'>): boolean {
  return a.detectedAt === b.detectedAt ? a.id < b.id : a.detectedAt < b.detectedAt;
}
