import type { Label, Labels } from './labels/labels.js';
import type { Protocol } from './protocol.js';
import { type Subject, SubjectReader } from './subjects.js';

export const DAY_MS = 86_400_000;
export const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** A subject that the labels say is fraud. */
export interface Fraud extends Subject {
  readonly label: Label;
  /** When that became known, in ms. */
  readonly knownAt: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * What there is to find: all that was scored, counted by day, and every fraud. Memory grows with days and cards, not with events.
 *
 * Some subjects are not scored (`exclude`): those whose key had a fraud that was known before the day of the transaction.
 */
export class Population {
  /** Whether any event was told of, in the range or not. */
  hasEvents = false;
  /** Of all times. */
  readonly frauds: Fraud[] = [];
  /** Events of the range by day and by card. */
  private readonly cards = new DayCounts();
  /** The same by the key of `exclude`, where that is another field. */
  private readonly excludable = new DayCounts();
  private readonly accounts = new Set<string>();
  private readonly seen = new Set<string>();
  /** Time from which the frauds of a key are known. */
  private readonly knownFrom = new Map<string, number>();
  private readonly reader: SubjectReader;

  constructor(
    readonly protocol: Protocol,
    readonly labels: Labels | null,
  ) {
    this.reader = new SubjectReader(protocol);
  }

  /** An event of the scored stream. */
  add(fields: Fields, time: number): void {
    this.hasEvents = true;
    const id = this.reader.idOf(fields);
    if (id === null || id === undefined) return;
    if (this.isInRange(time)) this.count(id, fields, time);
    const label = this.labels?.get(id);
    if (label?.isFraud === true) this.addFraud(String(id), label, fields, time);
  }

  /** Whether the subject of this key is left out on the day of `time`. */
  isExcluded(excludeKey: string, time: number): boolean {
    return (this.knownFrom.get(excludeKey) ?? Number.POSITIVE_INFINITY) < dayOf(time) * DAY_MS;
  }

  isInRange(time: number): boolean {
    return time >= this.protocol.from && time < this.protocol.to;
  }

  /** The frauds that are there to be found. */
  scoredFrauds(): Fraud[] {
    return this.frauds.filter((fraud) => this.isInRange(fraud.time) && !this.isExcluded(fraud.excludeKey, fraud.time));
  }

  /** Days of the range that have events. */
  days(): number[] {
    return this.cards.days();
  }

  /** Subjects in all, and of a day, that are scored. */
  size(): number {
    if (this.protocol.of === 'account') return this.accounts.size;
    return this.days().reduce((sum, day) => sum + this.sizeOf(day), 0);
  }

  sizeOf(day: number): number {
    let sum = 0;
    const { exclude, card } = this.protocol;
    const counts = exclude === null || exclude.key === card ? this.cards : this.excludable;
    for (const [key, count] of counts.of(day)) if (!this.isExcluded(key, day * DAY_MS)) sum += count;
    return sum;
  }

  /** Cards that are scored on a day. */
  cardsOf(day: number): string[] {
    const isSame = this.protocol.exclude?.key === this.protocol.card;
    return this.cards
      .of(day)
      .flatMap(([card]) => card)
      .filter((card) => !isSame || !this.isExcluded(card, day * DAY_MS));
  }

  private count(id: unknown, fields: Fields, time: number): void {
    const { card, exclude, of } = this.protocol;
    const day = dayOf(time);
    if (of === 'account') this.accounts.add(String(id));
    this.cards.add(day, card === null ? '' : fields[card]);
    if (exclude !== null && exclude.key !== card) this.excludable.add(day, fields[exclude.key]);
  }

  private addFraud(id: string, label: Label, fields: Fields, time: number): void {
    if (this.protocol.of === 'account') {
      if (this.seen.has(id) || !this.isInRange(time)) return;
      this.seen.add(id);
    }
    const knownAt = label.knownAt ?? time + this.protocol.knownAfterMs;
    const fraud = { ...this.reader.read(id, fields, time), label, knownAt };
    this.frauds.push(fraud);
    const { exclude } = this.protocol;
    if (exclude === null || time < exclude.since) return;
    const known = this.knownFrom.get(fraud.excludeKey) ?? Number.POSITIVE_INFINITY;
    this.knownFrom.set(fraud.excludeKey, Math.min(known, knownAt));
  }
}

/** How often each value occurs on each day. Events come almost in order, so the day before is the day. */
class DayCounts {
  private readonly byDay = new Map<number, Map<unknown, number>>();
  private day = Number.NaN;
  private latest = new Map<unknown, number>();

  add(day: number, value: unknown): void {
    if (day !== this.day) {
      this.day = day;
      this.latest = this.byDay.get(day) ?? new Map();
      this.byDay.set(day, this.latest);
    }
    this.latest.set(value, (this.latest.get(value) ?? 0) + 1);
  }

  days(): number[] {
    return [...this.byDay.keys()].sort((a, b) => a - b);
  }

  /** The values of a day, as text. */
  of(day: number): (readonly [string, number])[] {
    return [...(this.byDay.get(day) ?? [])].map(([value, count]) => [String(value ?? ''), count] as const);
  }
}
