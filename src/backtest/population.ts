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
  /** Of all times. */
  readonly frauds: Fraud[] = [];
  /** Events of the range by day and by card. */
  private readonly cards = new Map<number, Map<string, number>>();
  /** The same by the key of `exclude`, where that is another field. */
  private readonly excludable = new Map<number, Map<string, number>>();
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
    const id = this.reader.idOf(fields);
    if (id === null) return;
    const { protocol } = this;
    if (time >= protocol.from && time < protocol.to) this.count(id, fields, time);
    const label = this.labels?.get(id);
    if (label?.isFraud === true) this.addFraud(id, label, fields, time);
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
    return [...this.cards.keys()].sort((a, b) => a - b);
  }

  /** Subjects in all, and of a day, that are scored. */
  size(): number {
    if (this.protocol.of === 'account') return this.accounts.size;
    return this.days().reduce((sum, day) => sum + this.sizeOf(day), 0);
  }

  sizeOf(day: number): number {
    let sum = 0;
    const { exclude, card } = this.protocol;
    const counts = (exclude === null || exclude.key === card ? this.cards : this.excludable).get(day);
    for (const [key, count] of counts ?? []) if (!this.isExcluded(key, day * DAY_MS)) sum += count;
    return sum;
  }

  /** Cards that are scored on a day. */
  cardsOf(day: number): string[] {
    const isSame = this.protocol.exclude?.key === this.protocol.card;
    return [...(this.cards.get(day)?.keys() ?? [])].filter((card) => !isSame || !this.isExcluded(card, day * DAY_MS));
  }

  private count(id: string, fields: Fields, time: number): void {
    const { card, exclude, of } = this.protocol;
    const day = dayOf(time);
    if (of === 'account') this.accounts.add(id);
    bump(this.cards, day, card === null ? '' : String(fields[card] ?? ''));
    if (exclude !== null && exclude.key !== card) bump(this.excludable, day, String(fields[exclude.key] ?? ''));
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

function bump(counts: Map<number, Map<string, number>>, day: number, key: string): void {
  const ofDay = counts.get(day) ?? new Map<string, number>();
  counts.set(day, ofDay);
  ofDay.set(key, (ofDay.get(key) ?? 0) + 1);
}
