import {
  type EngineEvent,
  type EventWindowState,
  hundredthsIn,
  type RowCode,
  restoreWindow,
  rowCode,
  type Window,
  type WindowState,
  writeTotals,
} from '../../../engine/index.js';
import { WordColumn } from '../table/columns.js';
import { LogHeads } from './log-heads.js';
import { RowLog } from './row-log.js';
import { SlotWindows, type WindowSlots } from './slot-windows.js';

/** Words of a row: low bits of its time, its slot's head, position of the row before it of the same slot, values. */
const HEAD = 1;
const BEFORE = 2;
const FIELDS = 3;
/** Values have places from 1 on. */
const VALUES = FIELDS - 1;
/** In the place of the head of a row that is no slot's any more. */
const NOBODY = 2 ** 32 - 1;
/** Rows of a log are closer to each other. */
const OVER_MAX = 2 ** 31;
/** Rows that will go, of which `touch` reads the heads, for each slot that it is given. */
const GOING_MAX = 2;

/**
 * One window, whose rows of all slots stand in one log in the order of their times. An event adds its row at the end of it, and those at its begin go as they
 * leave the window, of whichever slot they are: both are read and written one after the other. Beside them it looks at the totals of its slot alone, and at those of
 * the slot of each row that goes, a tenth of the memory of the rows. Rings, where the rows of a slot are side by side, have two or three places of
 * their own read or written at random.
 *
 * Times must not fall, from one slot to the next either.
 *
 * Invariants
 * 1. The rows of a slot are those in its ring, if it has one, and after them those in the log. Rows come to rings where a state is put, and where a row
 *    does not fit into the log: then those in the log go there first.
 * 2. Rows of the log are in the window as of the newest time that it was told; those of rings as of the slot's own.
 * 3. The totals of a slot are those of its ring and those of its head together: of the latter whole hundredths alone, so that it does not matter
 *    which rows they count.
 */
export class LogWindows implements WindowSlots {
  private readonly rings: SlotWindows;
  private readonly log: RowLog;
  private readonly heads: LogHeads;
  /** Head of a slot plus one; 0: none. */
  private readonly headOf = new WordColumn();
  private readonly code: RowCode;
  /** Slots of heads. */
  private readonly slotOf = new WordColumn();
  /** Rows that are some slot's. */
  private live = 0;
  /** Scratch of `read`. */
  private readonly totals: Float64Array;

  /** Whether the rows of a window can be kept so. */
  static canKeep({ hasExtremes, overMs }: Window): boolean {
    return !hasExtremes && overMs < OVER_MAX;
  }

  /** `beforeLoss` is told of a slot before a row of it is dropped at the event of another. */
  constructor(
    readonly window: Window,
    private readonly beforeLoss: (slot: number) => void,
  ) {
    this.rings = new SlotWindows(window);
    this.log = new RowLog(FIELDS + window.fields.length);
    this.heads = new LogHeads(window.totalPlaces);
    this.code = rowCode(window);
    this.totals = new Float64Array(window.totalPlaces);
  }

  get heldBytes(): number {
    return this.live * this.log.stride * 4 + this.heads.used * this.heads.size + this.rings.heldBytes;
  }

  get bytes(): number {
    const { log, heads, headOf, slotOf, rings } = this;
    return log.bytes + heads.bytes + headOf.bytes + slotOf.bytes + rings.bytes;
  }

  reserve(slots: number): void {
    this.headOf.reserve(slots);
    this.rings.reserve(slots);
  }

  has(slot: number): boolean {
    return this.headOf.get(slot) !== 0 || this.rings.has(slot);
  }

  add(slot: number, event: EngineEvent): void {
    const oldest = event.time - this.window.overMs;
    this.dropOlder(oldest);
    const isInRing = this.rings.has(slot) && this.isLeftInRing(slot, event, oldest);
    if (!this.addRow(slot, event)) {
      this.moveToRing(slot);
      this.rings.add(slot, event);
    } else if (isInRing) {
      this.read(slot, event.time);
    }
  }

  /** False: nothing was done, for the event does not fit. */
  private addRow(slot: number, event: EngineEvent): boolean {
    const { log, heads, headOf } = this;
    const { time } = event;
    if (!log.takes(time)) return false;
    let head = headOf.get(slot) - 1;
    if (head < 0) {
      head = heads.make();
      headOf.set(slot, head + 1);
      this.slotOf.reserve(head + 1);
      this.slotOf.set(head, slot);
    }
    log.makeRoom();
    const position = log.next;
    const words = log.wordsOf(position);
    const row = log.placeOf(position);
    const count = heads.countOf(head);
    if (!this.code.add(words, row + VALUES, heads.totalsOf(head), heads.placeOf(head), count, event)) return false;
    words[row + HEAD] = head;
    words[row + BEFORE] = heads.newestOf(head);
    heads.setNewest(head, position);
    heads.setCount(head, count + 1);
    log.push(time);
    this.live++;
    return true;
  }

  /** Drops what is too old from the ring of a slot; says whether anything is left there. */
  private isLeftInRing(slot: number, event: EngineEvent, oldest: number): boolean {
    const { rings } = this;
    // Sums of more than hundredths begin anew with an empty window, and not before.
    if (this.rowsInLog(slot) > 0 && rings.newest(slot) < oldest && rings.mayHaveRest(slot)) this.moveToRing(slot);
    return rings.drop(slot, event);
  }

  private dropOlder(oldest: number): void {
    const { log } = this;
    while (log.oldest < oldest) {
      this.takeAway(log.wordsOf(log.first), log.placeOf(log.first));
      log.shift();
    }
  }

  private takeAway(words: Uint32Array, row: number): void {
    const head = words[row + HEAD]!;
    if (head === NOBODY) return;
    this.beforeLoss(this.slotOf.get(head));
    const { heads } = this;
    heads.setCount(head, heads.countOf(head) - 1);
    this.code.takeAway(words, row + VALUES, heads.totalsOf(head), heads.placeOf(head));
    this.live--;
  }

  read(slot: number, time: number): void {
    const { window, rings, heads, totals } = this;
    this.dropOlder(time - window.overMs);
    totals.fill(0);
    const head = slot < 0 ? -1 : this.headOf.get(slot) - 1;
    let count = slot >= 0 && rings.has(slot) ? rings.addTotals(slot, time, totals) : 0;
    if (head >= 0) {
      const own = heads.totalsOf(head);
      const at = heads.placeOf(head);
      for (let i = 1; i < totals.length; i++) totals[i] = totals[i]! + own[at + i]!;
      count += heads.countOf(head);
    }
    writeTotals(window, count, totals, 0);
  }

  newest(slot: number): number {
    if (this.rowsInLog(slot) === 0) return this.rings.newest(slot);
    return this.log.timeOf(this.heads.newestOf(this.headOf.get(slot) - 1));
  }

  state(slot: number): WindowState | undefined {
    const { window, rings, log } = this;
    const ring = rings.state(slot);
    if (this.rowsInLog(slot) === 0) return ring;
    const times: number[] = [];
    const columns = window.fields.map((): number[] => []);
    for (let at = ring?.from ?? 0; at < (ring?.to ?? 0); at += window.stride) {
      times.push(ring!.rows[at]!);
      for (const [i, column] of columns.entries()) column.push(ring!.rows[at + 1 + i]!);
    }
    for (const position of this.positionsOf(slot)) {
      const words = log.wordsOf(position);
      const row = log.placeOf(position);
      times.push(log.timeOf(position));
      for (const [i, column] of columns.entries()) column.push(hundredthsIn(words[row + FIELDS + i]!));
    }
    return restoreWindow(window, times, columns, this.totalsOf(slot));
  }

  /** Of ring and log together, from place 1 on. */
  private totalsOf(slot: number): readonly number[] {
    const { window, rings, heads, totals } = this;
    totals.fill(0);
    if (rings.has(slot)) rings.addTotals(slot, rings.newest(slot) - window.overMs, totals);
    const head = this.headOf.get(slot) - 1;
    const own = heads.totalsOf(head);
    const at = heads.placeOf(head);
    return Array.from(totals.subarray(1), (total, i) => total + own[at + 1 + i]!);
  }

  put(slot: number, state: EventWindowState | undefined): void {
    this.delete(slot);
    this.rings.put(slot, state);
  }

  delete(slot: number): void {
    this.rings.delete(slot);
    const head = this.headOf.get(slot) - 1;
    if (head < 0) return;
    const { log } = this;
    const positions = this.positionsOf(slot);
    for (const position of positions) log.wordsOf(position)[log.placeOf(position) + HEAD] = NOBODY;
    this.live -= positions.length;
    this.headOf.set(slot, 0);
    this.heads.giveUp(head);
  }

  private moveToRing(slot: number): void {
    if (this.rowsInLog(slot) > 0) this.put(slot, this.state(slot));
  }

  private rowsInLog(slot: number): number {
    const head = this.headOf.get(slot) - 1;
    return head < 0 ? 0 : this.heads.countOf(head);
  }

  /** Of the rows that a slot has in the log, in order. It has a head. */
  private positionsOf(slot: number): readonly number[] {
    const { log, heads } = this;
    const head = this.headOf.get(slot) - 1;
    const positions: number[] = [];
    let position = heads.newestOf(head);
    for (let left = heads.countOf(head); left > 0; left--) {
      positions.push(position);
      position = log.wordsOf(position)[log.placeOf(position) + BEFORE]!;
    }
    return positions.reverse();
  }

  touch(slots: readonly number[], count: number, time: number): number {
    const { log, heads, headOf } = this;
    let sum = this.rings.touch(slots, count, time);
    for (let i = 0; i < count; i++) {
      const head = headOf.get(slots[i]!) - 1;
      if (head >= 0) sum += heads.countOf(head);
    }
    const oldest = time - this.window.overMs;
    let going = Math.min(count * GOING_MAX, log.rows);
    for (let position = log.first; going > 0 && log.timeOf(position) < oldest; going--) {
      const head = log.wordsOf(position)[log.placeOf(position) + HEAD]!;
      if (head !== NOBODY) sum += heads.countOf(head);
      position = (position + 1) | 0;
    }
    return sum;
  }
}
