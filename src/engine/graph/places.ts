import { nodesBelow, placeIn } from './below.js';
import { type GraphNode, type Horizon, type Item, isItem } from './node.js';
import type { StepCell } from './step-cell.js';

/** An item of a match, or its end. */
export interface Place {
  /** `null`: the match ends here. */
  readonly item: Item | null;
  /** What may come next in a match. `null` only at its end. */
  readonly after: Places | null;
  /** The item as the first event of its step; made when it is first needed. */
  cell: StepCell | null;
}

/**
 * A list of places in the order of matches: the end, then items by id. A place that is in it twice is gone to twice. Two lists
 * are merged only as far as the result is looked at: of a large graph with a bound on matches, that is a small part.
 */
export class Places {
  /** The rest is that of `rest` merged with `other`; once `other` is null, it is `rest` itself. */
  constructor(
    readonly place: Place,
    private rest: Places | null,
    private other: Places | null,
  ) {}

  static of(place: Place, next: Places | null): Places {
    return new Places(place, next, null);
  }

  static merged(a: Places | null, b: Places): Places {
    if (a === null) return b;
    return rank(a.place) <= rank(b.place) ? new Places(a.place, a, b) : new Places(b.place, b, a);
  }

  get next(): Places | null {
    return this.other === null ? this.rest : this.merge();
  }

  /** Merges may be nested; they are done from the innermost out. */
  private merge(): Places | null {
    const open: Places[] = [];
    for (let list: Places = this; list.other !== null; list = list.rest!) open.push(list);
    for (let list = open.pop(); list !== undefined; list = open.pop()) {
      list.rest = Places.merged(list.rest!.rest, list.other!);
      list.other = null;
    }
    return this.rest;
  }
}

const rank = ({ item }: Place): number => (item === null ? -1 : item.id);

const ONLY_END = Places.of({ item: null, after: null, cell: null }, null);

/**
 * The graph points from the last event of a match to the first; this turns it round. Returns the items that begin matches.
 * Time: that of `nodesBelow`. Whatever is reached from a start leads to the end of a match.
 */
export function turnRound(completed: readonly GraphNode[], horizon: Horizon): Places | null {
  const nodes = nodesBelow(completed, horizon);
  const lists = new Array<Places | null>(nodes.length).fill(null);
  const give = (node: GraphNode | null, places: Places): void => {
    const at = node === null ? -1 : placeIn(nodes, node);
    if (at >= 0) lists[at] = Places.merged(lists[at]!, places);
  };
  for (const node of completed) give(node, ONLY_END);
  let starts: Places | null = null;
  // From the highest id down: the list of a node is complete when its turn comes.
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    const after = lists[i]!;
    if (isItem(node)) {
      const place: Place = { item: node, after, cell: null };
      for (let n = 0; n < node.starts; n++) starts = Places.of(place, starts);
      if (node.previous !== null) give(node.previous, Places.of(place, null));
    } else {
      give(node.item, after);
      give(node.left, after);
      give(node.right, after);
    }
  }
  return starts;
}
