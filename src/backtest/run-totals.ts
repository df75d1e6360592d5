import type { Alert } from '../runtime/ports/alert.js';
import { AlertDigest } from './digest.js';
import type { Found, RunListener, RunResult } from './run-files.js';

/** What a run over files has come to. */
export class Totals {
  events = 0;
  alerts = 0;
  late = 0;
  badRows = 0;
  private bytesRead = 0;
  private readonly digest = new AlertDigest();
  private readonly byPattern: Record<string, number> = {};

  constructor(
    readonly listener: RunListener,
    private readonly bytesTotal: number,
    /** Who is told of matches instead: what is read here is counted elsewhere. */
    private readonly instead: Totals | null = null,
  ) {}

  /** For a second reading of the same streams: its matches count here, and its rows do not count. */
  again(): Totals {
    const { fieldsOf, isEnough } = this.listener;
    const listener = { ...(fieldsOf && { fieldsOf }), ...(isEnough && { isEnough }) };
    return new Totals(listener, this.bytesTotal, this);
  }

  alert(alert: Alert): void {
    this.alerts++;
    this.byPattern[alert.patternId] = (this.byPattern[alert.patternId] ?? 0) + 1;
    this.digest.add(alert);
    this.listener.onAlert?.(alert);
  }

  found(found: Found): void {
    if (this.instead !== null) {
      this.instead.found(found);
      return;
    }
    const { onFound } = this.listener;
    const alert = onFound === undefined ? found.alert() : onFound.call(this.listener, found);
    if (alert !== null) this.alert(alert);
  }

  /** So many more bytes of a file are done with. */
  progress(bytes: number): void {
    this.bytesRead += bytes;
    this.listener.onProgress?.(this.bytesRead / Math.max(1, this.bytesTotal), this.events);
  }

  result(): Omit<RunResult, 'seconds' | 'eventsPerSecond'> {
    const { events, alerts, late, badRows, byPattern } = this;
    return { events, alerts, late, badRows, digest: this.digest.hex(), byPattern };
  }
}
