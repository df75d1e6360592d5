import type { Alert } from '../../runtime/ports/alert.js';
import { type AlertFilter, accepts } from './alert-filter.js';

export type AlertHandler = (alert: Alert, traceparent: string | null) => Promise<void>;

export interface DispatchStatus {
  readonly waiting: number;
  /** Calls that ended well, and that threw. */
  readonly handled: number;
  readonly failed: number;
  /** Alerts that no handler got, because too many were waiting. */
  readonly dropped: number;
}

const WAITING_MAX = 10_000;

/**
 * Calls the handlers of alerts, outside the way of detection.
 *
 * 1. Alerts are handed out one after the other, in the order found; the handlers of one alert run side by side.
 * 2. At most `WAITING_MAX` alerts wait; beyond that the newest is dropped and counted.
 * 3. What a handler throws is told and counted, and concerns nobody else.
 */
export class AlertDispatcher {
  private readonly handlers: { readonly filter: AlertFilter; readonly call: AlertHandler }[] = [];
  private waiting: { readonly alert: Alert; readonly traceparent: string | null }[] = [];
  private running: Promise<void> | null = null;
  private handled = 0;
  private failed = 0;
  private dropped = 0;

  constructor(private readonly onError: (error: unknown, alert: Alert) => void) {}

  add(filter: AlertFilter, call: AlertHandler): void {
    this.handlers.push({ filter, call });
  }

  dispatch(alert: Alert, traceparent: string | null): void {
    if (!this.handlers.some(({ filter }) => accepts(filter, alert))) return;
    if (this.waiting.length >= WAITING_MAX) {
      this.dropped += 1;
      return;
    }
    this.waiting.push({ alert, traceparent });
    this.running ??= this.run();
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  status(): DispatchStatus {
    const { handled, failed, dropped } = this;
    return { waiting: this.waiting.length, handled, failed, dropped };
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      for (const { alert, traceparent } of batch) await this.hand(alert, traceparent);
    }
    this.running = null;
  }

  private async hand(alert: Alert, traceparent: string | null): Promise<void> {
    const calls = this.handlers
      .filter(({ filter }) => accepts(filter, alert))
      .map(async ({ call }) => {
        try {
          await call(alert, traceparent);
          this.handled += 1;
        } catch (error) {
          this.failed += 1;
          this.onError(error, alert);
        }
      });
    await Promise.all(calls);
  }
}
