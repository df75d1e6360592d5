import type { Match, StepEvents } from '../nfa/output.js';
import type { GraphNode, Horizon } from './node.js';
import { type Place, type Places, turnRound } from './places.js';
import { StepCell } from './step-cell.js';

/** One place of the path walked. Frames stay when the walk goes back, and serve the next place of that depth. */
interface Frame {
  readonly below: Frame | null;
  above: Frame | null;
  step: number;
  /** What to try next after the place. */
  cursor: Places | null;
  /** The cell that the step had before. */
  replaced: StepCell | null;
}

/**
 * Writes out matches one by one, in the order of `MatchSet`, walking from their first events to their ends.
 *
 * Invariants
 * 1. No recursion: a match may be as long as the graph.
 * 2. The path walked is `top` and the frames below it; `cells` are its events by step.
 * 3. Each place leads to the end of a match, so a match costs time of its own length at most, and less where it shares a beginning
 *    with the one before.
 */
export class MatchWalk {
  private starts: Places | null;
  private top: Frame | null = null;
  private bottom: Frame | null = null;
  private readonly cells: (StepCell | null)[];
  private readonly row: StepEvents[];

  constructor(
    private readonly steps: readonly string[],
    completed: readonly GraphNode[],
    horizon: Horizon,
  ) {
    this.cells = new Array<StepCell | null>(steps.length).fill(null);
    this.row = new Array<StepEvents>(steps.length);
    this.starts = turnRound(completed, horizon);
  }

  /** `null`: there are no more. */
  next(): Match | null {
    for (;;) {
      const { top } = this;
      if (top === null) {
        const { starts } = this;
        if (starts === null) return null;
        this.starts = starts.next;
        this.enter(starts.place);
        continue;
      }
      const { cursor } = top;
      if (cursor === null) {
        this.cells[top.step] = top.replaced;
        this.top = top.below;
        continue;
      }
      top.cursor = cursor.next;
      if (cursor.place.item === null) return this.match();
      this.enter(cursor.place);
    }
  }

  hasNext(): boolean {
    for (let frame = this.top; frame !== null; frame = frame.below) if (frame.cursor !== null) return true;
    return this.starts !== null;
  }

  private enter(place: Place): void {
    const { cells } = this;
    const { event, step } = place.item!;
    const frame = this.frameAbove();
    frame.step = step;
    frame.cursor = place.after;
    frame.replaced = cells[step]!;
    if (frame.replaced === null) {
      place.cell ??= StepCell.first(event);
      cells[step] = place.cell;
    } else {
      cells[step] = frame.replaced.with(event);
    }
    this.top = frame;
  }

  private frameAbove(): Frame {
    const { top } = this;
    const known = top === null ? this.bottom : top.above;
    if (known !== null) return known;
    const made: Frame = { below: top, above: null, step: 0, cursor: null, replaced: null };
    if (top === null) this.bottom = made;
    else top.above = made;
    return made;
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
