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

/** Places in the order of matches: the end, then items by id. Lists share their tails. A place that is in it twice is gone to twice. */
export interface Places {
  readonly place: Place;
  readonly next: Places | null;
}

const ONLY_END: Places = { place: { item: null, after: null, cell: null }, next: null };

/**
 * The graph points from the last event of a match to the first; this turns it round. Returns the items that begin matches.
 * Time: that of `nodesBelow`, and of leading lists together, each up to the end of the shorter one. Whatever is
 * reached from a start leads to the end of a match.
 */
export function turnRound(completed: readonly GraphNode[], horizon: Horizon): Places | null {
  const nodes = nodesBelow(completed, horizon);
  const lists = new Array<Places | null>(nodes.length).fill(null);
  const give = (node: GraphNode | null, places: Places): void => {
    const at = node === null ? -1 : placeIn(nodes, node);
    if (at >= 0) lists[at] = merge(lists[at]!, places);
  };
  for (const node of completed) give(node, ONLY_END);
  let starts: Places | null = null;
  // From the highest id down: the list of a node is complete when its turn comes.
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    const after = lists[i]!;
    if (isItem(node)) {
      const place: Place = { item: node, after, cell: null };
      for (let n = 0; n < node.starts; n++) starts = { place, next: starts };
      give(node.previous, { place, next: null });
    } else {
      give(node.item, after);
      give(node.left, after);
      give(node.right, after);
    }
  }
  return starts;
}

const rank = ({ item }: Place): number => (item === null ? -1 : item.id);

/** The rest of the longer list is shared. */
function merge(a: Places | null, b: Places): Places {
  if (a === null) return b;
  const head: { next: Places | null } = { next: null };
  let tail = head;
  let [one, other]: [Places | null, Places | null] = [a, b];
  while (one !== null && other !== null) {
    if (rank(other.place) < rank(one.place)) [one, other] = [other, one];
    const copy = { place: one.place, next: null };
    tail.next = copy;
    tail = copy;
    one = one.next;
  }
  tail.next = one ?? other;
  return head.next!;
}
