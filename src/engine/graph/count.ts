import { nodesBelow, placeIn } from './below.js';
import { type GraphNode, type Horizon, isItem } from './node.js';

/**
 * How many runs alive the roots have together, in time of the part of the graph that is alive, not of the number of runs.
 * Exact up to 2^53, and infinity where it is beyond all numbers.
 */
export function countPaths(roots: readonly GraphNode[], horizon: Horizon): number {
  const nodes = nodesBelow(roots, horizon);
  const paths = new Float64Array(nodes.length);
  const of = (node: GraphNode | null): number => {
    const place = node === null ? -1 : placeIn(nodes, node);
    return place < 0 ? 0 : paths[place]!;
  };
  nodes.forEach((node, i) => {
    paths[i] = isItem(node) ? node.starts + of(node.previous) : of(node.item) + of(node.left) + of(node.right);
  });
  return roots.reduce((sum, root) => sum + of(root), 0);
}
