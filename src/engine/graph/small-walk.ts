import type { Match, StepEvents } from '../nfa/output.js';
import { type GraphNode, type Horizon, type Item, isAlive, isItem, type RunSet } from './node.js';
import { StepCell } from './step-cell.js';

/** Items are numbered from 0, and a set of them is the lower bits of a number. Beyond 22 the other walk is as fast, and 31 would fit. */
const ITEMS_MAX = 22;
/** The match may end here: the highest bit. */
const END = 1 << 31;

const listOf = <T>(): (T | null)[] => new Array<T | null>(ITEMS_MAX).fill(null);

/**
 * `MatchWalk` for a graph of few items: which items may come after which is a set of bits for each, so that the graph is turned round
 * and walked without any object made but the matches. What most events complete is that small.
 *
 * Invariants
 * 1. Items are numbered from the latest to the earliest by id, so the items after one have lower numbers, and of several the one with
 *    the highest number goes first.
 * 2. Between `prepare` and `clear` it belongs to one caller.
 */
export class SmallWalk {
  private isBusy = false;
  private readonly items = listOf<Item>();
  /** By number: what may come after the item, and `END`. */
  private readonly after = new Int32Array(ITEMS_MAX);
  private readonly firstCells = listOf<StepCell>();
  private count = 0;
  private starts = 0;
  /** Items that have no number yet, by ascending id, and what is known of their `after`. */
  private readonly open = listOf<Item>();
  private readonly openAfter = new Int32Array(ITEMS_MAX);
  private openCount = 0;
  private readonly stack: (RunSet | null)[] = [];
  /** By depth: what is still to be tried, the step, and the cell that the step had before. */
  private readonly cursor = new Int32Array(ITEMS_MAX);
  private readonly stepAt = new Int32Array(ITEMS_MAX);
  private readonly replaced = listOf<StepCell>();
  private readonly cells: (StepCell | null)[] = [];
  private readonly row: StepEvents[] = [];

  /** Turns the graph round. False: it is not small, or some matches come more than once, or another walk is under way. */
  prepare(completed: readonly GraphNode[], horizon: Horizon): boolean {
    if (this.isBusy) return false;
    this.isBusy = true;
    if (this.turnRound(completed, horizon)) return true;
    this.clear();
    return false;
  }

  /** Writes out at most `matchesMax` matches. Whether there are more. Only after `prepare`. */
  writeTo(steps: readonly string[], output: { onMatch(match: Match): void }, matchesMax: number): boolean {
    const { cursor, cells } = this;
    for (let i = cells.length; i < steps.length; i++) cells.push(null);
    let { starts } = this;
    let depth = 0;
    let left = matchesMax;
    for (;;) {
      const next = depth === 0 ? starts : cursor[depth - 1]!;
      if (next === 0) {
        if (depth === 0) return false;
        depth--;
        cells[this.stepAt[depth]!] = this.replaced[depth] ?? null;
      } else if (next < 0) {
        cursor[depth - 1] = next & ~END;
        if (left-- === 0) return true;
        output.onMatch(this.match(steps));
      } else {
        const number = 31 - Math.clz32(next);
        if (depth === 0) starts = next & ~(1 << number);
        else cursor[depth - 1] = next & ~(1 << number);
        this.enter(number, depth++);
      }
    }
  }

  /** Lets go of all. */
  clear(): void {
    for (let i = 0; i < this.count; i++) {
      this.items[i] = null;
      this.firstCells[i] = null;
      this.replaced[i] = null;
    }
    for (let i = 0; i < this.cells.length; i++) this.cells[i] = null;
    // Left over only if the graph was not small.
    for (let i = 0; i < this.openCount; i++) this.open[i] = null;
    this.isBusy = false;
  }

  private turnRound(completed: readonly GraphNode[], horizon: Horizon): boolean {
    this.count = 0;
    this.starts = 0;
    this.openCount = 0;
    for (let i = 0; i < completed.length; i++) if (!this.lead(completed[i]!, END, horizon)) return false;
    while (this.openCount > 0) {
      if (this.count === ITEMS_MAX) return false;
      const item = this.open[--this.openCount]!;
      this.open[this.openCount] = null;
      const number = this.count++;
      this.items[number] = item;
      this.after[number] = this.openAfter[this.openCount]!;
      if (item.starts > 1) return false;
      if (item.starts === 1) this.starts |= 1 << number;
      const { previous } = item;
      if (previous === null || !isAlive(previous.item.newest, horizon)) continue;
      if (!this.lead(previous, 1 << number, horizon)) return false;
    }
    return true;
  }

  /** From all items of the node the way leads to what the bit stands for. */
  private lead(node: GraphNode, bit: number, horizon: Horizon): boolean {
    if (isItem(node)) return this.add(node, bit);
    const { stack } = this;
    let count = 0;
    stack[count++] = node;
    while (count > 0) {
      const set = stack[--count]!;
      stack[count] = null;
      if (!this.add(set.item, bit)) return false;
      const { left, right } = set;
      if (left !== null && isAlive(left.item.newest, horizon)) stack[count++] = left;
      if (right !== null && isAlive(right.item.newest, horizon)) stack[count++] = right;
    }
    return true;
  }

  private add(item: Item, bit: number): boolean {
    const { open, openAfter } = this;
    let at = this.openCount;
    while (at > 0 && open[at - 1]!.id > item.id) at--;
    if (at > 0 && open[at - 1] === item) {
      const known = openAfter[at - 1]!;
      openAfter[at - 1] = known | bit;
      return (known & bit) === 0;
    }
    if (this.openCount === ITEMS_MAX) return false;
    for (let i = this.openCount++; i > at; i--) {
      open[i] = open[i - 1]!;
      openAfter[i] = openAfter[i - 1]!;
    }
    open[at] = item;
    openAfter[at] = bit;
    return true;
  }

  private enter(number: number, depth: number): void {
    const { cells, firstCells } = this;
    const { event, step } = this.items[number]!;
    const before = cells[step] ?? null;
    this.stepAt[depth] = step;
    this.replaced[depth] = before;
    this.cursor[depth] = this.after[number]!;
    if (before === null) {
      firstCells[number] ??= StepCell.first(event);
      cells[step] = firstCells[number]!;
    } else {
      cells[step] = before.with(event);
    }
  }

  private match(steps: readonly string[]): Match {
    const { cells, row } = this;
    let length = 0;
    for (let i = 0; i < steps.length; i++) {
      const cell = cells[i]!;
      if (cell !== null) row[length++] = cell.written(steps[i]!);
    }
    return { steps: row.slice(0, length) };
  }
}
