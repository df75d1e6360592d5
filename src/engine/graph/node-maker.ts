import type { EngineEvent } from '../event.js';
import type { GraphNode, Item, RunSet } from './node.js';

/** Makes nodes with ascending ids. All nodes are made here, so that they have one shape each. */
export class NodeMaker {
  private left: RunSet | null = null;
  private right: RunSet | null = null;
  private union: RunSet | null = null;

  constructor(public nextId = 0) {}

  /** A node that has the next id already. */
  keep<T extends GraphNode>(node: T): T {
    this.nextId = node.id + 1;
    return node;
  }

  /** An event that begins `starts` runs and continues those of `previous`. */
  item(event: EngineEvent, step: number, state: number, starts: number, previous: RunSet | null): Item {
    const newest = starts > 0 || previous === null ? event : previous.item.newest;
    return { id: this.nextId++, event, step, state, starts, previous, newest };
  }

  /** A heap of an item and two heaps, neither of which has a newer one. */
  set(item: Item, a: RunSet | null, b: RunSet | null): RunSet {
    const [rankA, rankB] = [a === null ? 0 : a.rank, b === null ? 0 : b.rank];
    return rankA >= rankB
      ? { id: this.nextId++, item, left: a, right: b, rank: rankB + 1 }
      : { id: this.nextId++, item, left: b, right: a, rank: rankA + 1 };
  }

  /** The set with one item more: one node, if the item is the newest. */
  add(set: RunSet | null, item: Item): RunSet {
    if (set === null || item.newest.seq >= set.item.newest.seq) return this.set(item, set, null);
    return this.meld(set, this.set(item, null, null));
  }

  /** All runs of both sets, in time logarithmic in their sizes. */
  unite(a: RunSet | null, b: RunSet | null): RunSet | null {
    if (a === null) return b;
    if (b === null) return a;
    // A state that both takes and ignores leads the same two sets together twice.
    if (a !== this.left || b !== this.right) {
      this.union = this.meld(a, b);
      this.left = a;
      this.right = b;
    }
    return this.union;
  }

  /** Lets go of the nodes made last. */
  forget(): void {
    this.left = null;
    this.right = null;
    this.union = null;
  }

  /** Goes down the right sides alone, which are logarithmic. */
  private meld(a: RunSet, b: RunSet): RunSet {
    const top = a.item.newest.seq >= b.item.newest.seq ? a : b;
    const other = top === a ? b : a;
    return this.set(top.item, top.left, top.right === null ? other : this.meld(top.right, other));
  }
}
