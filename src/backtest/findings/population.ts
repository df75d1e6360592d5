import type { Protocol } from '../plan/protocol.js';
import { DayCounts, type DayCountsData } from './day-counts.js';
import type { Label, Labels } from './labels.js';
import { type Subject, SubjectReader } from './subjects.js';

export const DAY_MS = 86_400_000;
export const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** A subject that the labels say is fraud. */
export interface Fraud extends Subject {
  readonly label: Label;
  /** When that became known, in ms. */
  readonly knownAt: number;
}

/** What a population holds; it can be sent between threads. */
export interface PopulationData {
  readonly hasEvents: boolean;
  readonly frauds: readonly Fraud[];
  readonly cards: DayCountsData;
  readonly excludable: DayCountsData;
  readonly accounts: readonly string[];
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
  /** Where the fraud of an account stands. */
  private readonly placeOf = new Map<string, number>();
  /** Time from which the frauds of a key are known. */
  private readonly knownFrom = new Map<string, number>();
  private readonly reader: SubjectReader;
  /** Subjects by day, once nothing is added any more: each rule set that is measured asks for them. */
  private readonly sizes = new Map<number, number>();
  private isComplete = false;

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

  /** For another thread. */
  data(): PopulationData {
    const { hasEvents, frauds, accounts } = this;
    return {
      ...{ hasEvents, frauds, accounts: [...accounts] },
      ...{ cards: this.cards.data(), excludable: this.excludable.data() },
    };
  }

  /** Takes in what another lane has counted of other events. */
  merge(other: PopulationData): void {
    this.hasEvents ||= other.hasEvents;
    for (const fraud of other.frauds) this.keep(fraud);
    for (const account of other.accounts) this.accounts.add(account);
    this.cards.merge(other.cards);
    this.excludable.merge(other.excludable);
  }

  /** Puts the frauds in an order that does not depend on that in which they were read. Nothing is added after it. */
  sort(): void {
    this.isComplete = true;
    this.frauds.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
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
    const known = this.sizes.get(day);
    if (known !== undefined) return known;
    const size = this.counted(day);
    if (this.isComplete) this.sizes.set(day, size);
    return size;
  }

  private counted(day: number): number {
    const { exclude, card } = this.protocol;
    if (exclude === null) return this.cards.total(day);
    let sum = 0;
    const counts = exclude.key === card ? this.cards : this.excludable;
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
    if (this.protocol.of === 'account' && !this.isInRange(time)) return;
    const knownAt = label.knownAt ?? time + this.protocol.knownAfterMs;
    this.keep({ ...this.reader.read(id, fields, time), label, knownAt });
  }

  /** Of an account its earliest event counts. */
  private keep(fraud: Fraud): void {
    const place = this.placeOf.get(fraud.id) ?? this.frauds.length;
    if (place < this.frauds.length && this.frauds[place]!.time <= fraud.time) return;
    this.frauds[place] = fraud;
    if (this.protocol.of === 'account') this.placeOf.set(fraud.id, place);
    const { exclude } = this.protocol;
    if (exclude === null || fraud.time < exclude.since) return;
    const known = this.knownFrom.get(fraud.excludeKey) ?? Number.POSITIVE_INFINITY;
    this.knownFrom.set(fraud.excludeKey, Math.min(known, fraud.knownAt));
  }
}
