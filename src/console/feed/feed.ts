import type { Alert } from '../api/types.js';
import { Store } from '../lib/store.js';

export interface FeedState {
  /** Newest first. */
  readonly rows: readonly Alert[];
  /** Alerts that came while the list was held. */
  readonly waiting: number;
}

export interface FeedOptions {
  /** Rows kept. */
  readonly rowsMax: number;
  /** Calls back soon, once: alerts that come until then are shown together. */
  readonly soon: (flush: () => void) => void;
}

/**
 * The rows of the live list. Whatever the rate of alerts, it changes as often as `soon` calls back; memory is bounded by `rowsMax`, also
 * of what waits.
 */
export class AlertFeed {
  readonly state = new Store<FeedState>({ rows: [], waiting: 0 });
  private readonly known = new Set<string>();
  private fresh: Alert[] = [];
  private scheduled = false;
  private held = false;

  constructor(private readonly options: FeedOptions) {}

  /** One that has come. */
  add(alert: Alert): void {
    if (this.known.has(alert.id)) return;
    this.known.add(alert.id);
    this.fresh.push(alert);
    if (this.fresh.length > this.options.rowsMax) this.known.delete(this.fresh.shift()!.id);
    if (this.scheduled) return;
    this.scheduled = true;
    this.options.soon(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Older ones, behind those that are there. */
  append(alerts: readonly Alert[]): void {
    const more = alerts.filter(({ id }) => !this.known.has(id));
    for (const { id } of more) this.known.add(id);
    const { rows, waiting } = this.state.value;
    this.state.set({ rows: [...rows, ...more], waiting });
  }

  /** While it is held, rows stay where they are, and what comes waits. */
  hold(held: boolean): void {
    if (this.held === held) return;
    this.held = held;
    if (!held) this.flush();
  }

  clear(): void {
    this.known.clear();
    this.fresh = [];
    this.state.set({ rows: [], waiting: 0 });
  }

  private flush(): void {
    const { rows } = this.state.value;
    if (this.held) {
      this.state.set({ rows, waiting: this.fresh.length });
      return;
    }
    if (this.fresh.length === 0 && this.state.value.waiting === 0) return;
    const all = [...this.fresh.reverse(), ...rows];
    this.fresh = [];
    for (const { id } of all.slice(this.options.rowsMax)) this.known.delete(id);
    this.state.set({ rows: all.slice(0, this.options.rowsMax), waiting: 0 });
  }
}
