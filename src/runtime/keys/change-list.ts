import { ByteSlabs } from '../byte-slabs.js';
import { WordColumn } from './table/columns.js';

/** The keys by slot, as a list of changes needs them. */
export interface ChangingKeys<V> {
  slotOf(key: string): number;
  keyAt(slot: number): string;
  /** What the key has now; a view that holds until the next call will do. `undefined`: nothing. */
  valueAt(slot: number): V | undefined;
  /** The same value for good, in as little memory as there is a way to. `slabs`: for copies of bytes. */
  keep(value: V, slabs: ByteSlabs): V;
  /** The slot no longer stands in the list. */
  onForgotten(slot: number): void;
}

/** Keys that changed up to one moment, with what they had then: each value is to be looked at before the next is asked for. */
export interface Changes<V> extends Iterable<readonly [key: string, value: V | undefined]> {
  readonly size: number;
  /** Counts all of them as changed again, read or not; what is not read cannot be read any more. */
  revert(): void;
}

/** A link of a chain: absent, the last one, or the next slot plus two. */
const ABSENT = 0;
const LAST = 1;
const OFFSET = 2;

/**
 * The slots whose value changed, and what they had when they were taken. To take them costs nothing, however many they are:
 * they are read later, bit by bit, and a value that is about to change before it was read is saved first.
 *
 * Invariants
 * 1. A slot stands in at most two chains: that of today's changes, and that which is being read. There it stays its key's.
 * 2. In the chain that is being read, a slot without a saved value has not changed since the chain was taken.
 */
export class ChangeList<V> {
  /** Two columns of links: today's, and the other one's, which is being read or empty. */
  private links = new WordColumn(ABSENT);
  private linksTaken = new WordColumn(ABSENT);
  private first = LAST;
  private count = 0;
  private reading: Reading<V> | null = null;

  constructor(private readonly keys: ChangingKeys<V>) {}

  /** Memory taken, in bytes. */
  get bytes(): number {
    return this.links.bytes + this.linksTaken.bytes;
  }

  /** Slots that changed since the last `take`. */
  get size(): number {
    return this.count;
  }

  /** Makes room for the slots below `slots`; must come before any other use of them. */
  reserve(slots: number): void {
    this.links.reserve(slots);
    this.linksTaken.reserve(slots);
  }

  /** Must come before the slot's value changes. */
  mark(slot: number): void {
    if (this.links.get(slot) !== ABSENT) return;
    this.links.set(slot, this.first);
    this.first = slot + OFFSET;
    this.count++;
    if (this.linksTaken.get(slot) !== ABSENT) this.reading!.save(slot);
  }

  /**
   * Must come before something is lost of the slot's value that no longer matters: it is no change, but what is still to be read is as of the
   * moment at which it was taken.
   */
  beforeLoss(slot: number): void {
    if (this.reading?.isOver === false && this.linksTaken.get(slot) !== ABSENT) this.reading.save(slot);
  }

  /** Whether the slot changed since the last `take`: what it has now, nobody else was given. */
  isMarked(slot: number): boolean {
    return this.links.get(slot) !== ABSENT;
  }

  has(slot: number): boolean {
    return this.links.get(slot) !== ABSENT || this.linksTaken.get(slot) !== ABSENT;
  }

  /** Everything that changed since the last call, to be read once. */
  take(): Changes<V> {
    this.reading?.finish();
    const { links, linksTaken, first, count } = this;
    this.reading = new Reading(this.keys, links, first, count, (slot) => this.mark(slot));
    this.links = linksTaken;
    this.linksTaken = links;
    this.first = LAST;
    this.count = 0;
    return this.reading;
  }
}

class Reading<V> implements Changes<V> {
  private readonly slabs = new ByteSlabs();
  private readonly saved = new Map<number, V | undefined>();
  /** Read in advance, because the chain was needed. */
  private rest: (readonly [string, V | undefined])[] = [];
  private readonly read: string[] = [];

  constructor(
    private readonly keys: ChangingKeys<V>,
    private readonly links: WordColumn,
    private next: number,
    readonly size: number,
    private readonly mark: (slot: number) => void,
  ) {}

  /** The chain is empty. */
  get isOver(): boolean {
    return this.next === LAST;
  }

  *[Symbol.iterator](): Iterator<readonly [string, V | undefined]> {
    for (;;) {
      const entry = this.rest.pop() ?? this.takeNext();
      if (entry === null) return;
      this.read.push(entry[0]);
      yield entry;
    }
  }

  revert(): void {
    for (const [key] of this.rest) this.mark(this.keys.slotOf(key));
    for (const key of this.read) this.mark(this.keys.slotOf(key));
    for (let slot = this.unlink(); slot !== null; slot = this.unlink()) this.mark(slot);
    this.saved.clear();
    this.rest = [];
    this.read.length = 0;
  }

  save(slot: number): void {
    if (!this.saved.has(slot)) this.saved.set(slot, this.kept(this.keys.valueAt(slot)));
  }

  /** Empties the chain. */
  finish(): void {
    for (let entry = this.takeNext(); entry !== null; entry = this.takeNext())
      this.rest.push([entry[0], this.kept(entry[1])]);
  }

  /** There may be many of them for as long as others are read: whole states, as objects, would be a multiple of their bytes. */
  private kept(value: V | undefined): V | undefined {
    return value === undefined ? undefined : this.keys.keep(value, this.slabs);
  }

  /** Takes the next slot out of the chain. */
  private unlink(): number | null {
    if (this.next === LAST) return null;
    const slot = this.next - OFFSET;
    this.next = this.links.get(slot);
    this.links.set(slot, ABSENT);
    return slot;
  }

  private takeNext(): readonly [string, V | undefined] | null {
    const slot = this.unlink();
    if (slot === null) return null;
    const value = this.saved.has(slot) ? this.saved.get(slot) : this.keys.valueAt(slot);
    this.saved.delete(slot);
    const key = this.keys.keyAt(slot);
    this.keys.onForgotten(slot);
    return [key, value];
  }
}
