import type { Alert } from '../../runtime/ports/alert.js';
import type { NearMissRecord } from '../../runtime/ports/near-miss.js';
import { AlertDigest } from './digest.js';
import type { Found, RunListener, RunResult } from './run-options.js';

/** What a run over files had come to at some moment. */
export type TotalsState = Omit<RunResult, 'seconds' | 'eventsPerSecond'> & { readonly bytesRead: number };

/** What a run over files has come to. */
export class Totals {
  events = 0;
  alerts = 0;
  late = 0;
  nearMisses = 0;
  badRows = 0;
  private bytesRead = 0;
  private readonly digest = new AlertDigest();
  private byPattern: Record<string, number> = {};
  private passedByAll: Record<string, number> = {};

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

  /** Counted where matches are. */
  nearMiss(make: () => NearMissRecord): void {
    if (this.instead !== null) {
      this.instead.nearMiss(make);
      return;
    }
    this.nearMisses++;
    const { onNearMiss } = this.listener;
    if (onNearMiss !== undefined) onNearMiss.call(this.listener, make());
  }

  /** All partitions that a rule sees merged have passed an event time. */
  passed(rule: string, time: number): void {
    const { passedByAll } = this.instead ?? this;
    passedByAll[rule] = Math.min(time, passedByAll[rule] ?? time);
  }

  /** So many more bytes of a file are done with. */
  progress(bytes: number): void {
    this.bytesRead += bytes;
    this.listener.onProgress?.(this.bytesRead / Math.max(1, this.bytesTotal), this.events);
  }

  state(): TotalsState {
    const { byPattern, passedByAll, bytesRead } = this;
    return { ...this.result(), byPattern: { ...byPattern }, passedByAll: { ...passedByAll }, bytesRead };
  }

  /** Goes on from what another run had come to; comes before any other use. */
  goOnFrom({ events, alerts, late, badRows, nearMisses, digest, bytesRead, ...by }: TotalsState): void {
    Object.assign(this, { events, alerts, late, badRows, nearMisses });
    this.byPattern = { ...by.byPattern };
    this.passedByAll = { ...by.passedByAll };
    this.bytesRead = bytesRead;
    this.digest.merge(digest);
  }

  result(): Omit<RunResult, 'seconds' | 'eventsPerSecond'> {
    const { events, alerts, late, badRows, nearMisses, byPattern, passedByAll } = this;
    return { events, alerts, late, badRows, nearMisses, digest: this.digest.hex(), byPattern, passedByAll };
  }
}
