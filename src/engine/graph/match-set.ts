import type { Match } from '../nfa/output.js';
import { countPaths } from './count.js';
import { MatchWalk } from './match-walk.js';
import { ENDLESS, type GraphNode, type Horizon } from './node.js';
import { SmallWalk } from './small-walk.js';

const small = new SmallWalk();

/**
 * The matches that one event completes, none of them written out yet. It stays valid, and may be gone through more than once, at
 * any time; as long as it is kept, so is the part of the graph that it is made of.
 *
 * Order: by the events of a match, the first event first. Of two matches, the one comes first whose first event is older (lower
 * `seq`); if they begin with the same event, the one whose second event is older, and so on. Where both have the same event,
 * but by different steps, the earlier step of the pattern goes first, and then the automaton's state that it led to with the
 * lower index. It depends on the events alone.
 */
export class MatchSet implements Iterable<Match> {
  constructor(
    /** Names of the pattern's steps. */
    private readonly steps: readonly string[],
    private readonly completed: readonly GraphNode[],
    private readonly horizon: Horizon,
    /** Iteration ends after so many matches. */
    readonly matchesMax: number,
  ) {}

  /** How many matches there are, whatever `matchesMax`, in time of the size of the graph. Exact up to 2^53. */
  count(): number {
    return countPaths(this.completed, this.horizon);
  }

  *[Symbol.iterator](): Iterator<Match> {
    const walk = this.walk();
    for (let left = this.matchesMax; left > 0; left--) {
      const match = walk.next();
      if (match === null) return;
      yield match;
    }
  }

  /** Writes matches out, at most `matchesMax`. How many there are more. */
  writeTo(output: { onMatch(match: Match): void }): number {
    if (!small.prepare(this.completed, this.horizon)) return this.writeAny(output);
    try {
      return small.writeTo(this.steps, output, this.matchesMax) ? this.more() : 0;
    } finally {
      small.clear();
    }
  }

  private writeAny(output: { onMatch(match: Match): void }): number {
    const walk = this.walk();
    for (let left = this.matchesMax; left > 0; left--) {
      const match = walk.next();
      if (match === null) return 0;
      output.onMatch(match);
    }
    return walk.hasNext() ? this.more() : 0;
  }

  private more(): number {
    return Math.max(1, this.count() - this.matchesMax);
  }

  private walk(): MatchWalk {
    return new MatchWalk(this.steps, this.completed, this.horizon);
  }
}

/** Never used, and kept for ever: see `KEPT` in `step-cell.ts`. */
export const KEPT = new MatchSet([], [], ENDLESS, 0);
