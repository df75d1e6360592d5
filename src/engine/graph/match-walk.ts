import type { Match, StepEvents } from '../nfa/output.js';
import type { GraphNode, Horizon } from './node.js';
import { type Place, type Places, turnRound } from './places.js';
import { StepCell } from './step-cell.js';

/**
 * Writes out matches one by one, in the order of `MatchSet`, walking from their first events to their ends.
 *
 * Invariants
 * 1. No recursion: a match may be as long as the graph.
 * 2. The path walked is the first `depth` entries of `path`. `cursors` holds what to try next after each place, `replaced` the cell
 *    that its step had before; `cells` are the events of the path by step.
 * 3. Each place leads to the end of a match, so a match costs time of its own length at most, and less where it shares a beginning
 *    with the one before.
 */
export class MatchWalk {
  private starts: Places | null;
  private depth = 0;
  private readonly path: Place[] = [];
  private readonly cursors: (Places | null)[] = [];
  private readonly replaced: (StepCell | null)[] = [];
  private readonly cells: (StepCell | null)[];
  private readonly row: StepEvents[] = [];

  constructor(
    private readonly steps: readonly string[],
    completed: readonly GraphNode[],
    horizon: Horizon,
  ) {
    this.cells = new Array<StepCell | null>(steps.length).fill(null);
    this.starts = turnRound(completed, horizon);
  }

  /** `null`: there are no more. */
  next(): Match | null {
    for (;;) {
      if (this.depth === 0) {
        if (this.starts === null) return null;
        this.enter(this.starts.place);
        this.starts = this.starts.next;
      }
      const cursor = this.cursors[this.depth - 1]!;
      if (cursor === null) {
        this.leave();
        continue;
      }
      this.cursors[this.depth - 1] = cursor.next;
      if (cursor.place.item === null) return this.match();
      this.enter(cursor.place);
    }
  }

  hasNext(): boolean {
    if (this.starts !== null) return true;
    for (let i = 0; i < this.depth; i++) if (this.cursors[i] !== null) return true;
    return false;
  }

  private enter(place: Place): void {
    const { depth, cells } = this;
    const { event, step } = place.item!;
    const before = cells[step]!;
    if (before === null) {
      place.cell ??= StepCell.first(event);
      cells[step] = place.cell;
    } else {
      cells[step] = before.with(event);
    }
    this.path[depth] = place;
    this.cursors[depth] = place.after;
    this.replaced[depth] = before;
    this.depth = depth + 1;
  }

  private leave(): void {
    const depth = --this.depth;
    this.cells[this.path[depth]!.item!.step] = this.replaced[depth]!;
  }

  private match(): Match {
    const { cells, row, steps } = this;
    let length = 0;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!;
      if (cell !== null) row[length++] = cell.written(steps[i]!);
    }
    return { steps: row.slice(0, length) };
  }
}
