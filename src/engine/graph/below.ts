import { type GraphNode, type Horizon, isAlive, isItem } from './node.js';

/** Place in the list made last of the node with this id, if that node is in the list at all. Grows as needed. */
let places = new Int32Array(256);
const stack: GraphNode[] = [];

/**
 * All nodes alive at and below the roots, each once, by id: so a node comes after all that it points to. Time: that of the
 * part alive (and of sorting it), however long the chains in it. Roots must be alive.
 */
export function nodesBelow(roots: readonly GraphNode[], horizon: Horizon): GraphNode[] {
  reserve(roots);
  const nodes: GraphNode[] = [];
  const visit = (node: GraphNode): void => {
    if (placeIn(nodes, node) >= 0) return;
    places[node.id] = nodes.push(node) - 1;
    stack.push(node);
  };
  for (let i = 0; i < roots.length; i++) visit(roots[i]!);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (isItem(node)) {
      if (node.previous !== null && isAlive(node.previous.item.newest, horizon)) visit(node.previous);
      continue;
    }
    visit(node.item);
    if (node.left !== null && isAlive(node.left.item.newest, horizon)) visit(node.left);
    if (node.right !== null && isAlive(node.right.item.newest, horizon)) visit(node.right);
  }
  sortById(nodes);
  for (let i = 0; i < nodes.length; i++) places[nodes[i]!.id] = i;
  return nodes;
}

/** The node's place in a list of `nodesBelow`; -1: it is not in it. Only for the list made last. */
export function placeIn(nodes: readonly GraphNode[], node: GraphNode): number {
  const place = places[node.id]!;
  return place < nodes.length && nodes[place] === node ? place : -1;
}

/** Ids fall from the roots down. */
function reserve(roots: readonly GraphNode[]): void {
  let highest = 0;
  for (const root of roots) if (root.id > highest) highest = root.id;
  if (highest >= places.length) places = new Int32Array(Math.max(highest + 1, 2 * places.length));
}

const SORTED_BY_INSERTION = 48;

function sortById(nodes: GraphNode[]): void {
  // Found from the top down, so mostly by falling ids.
  nodes.reverse();
  if (nodes.length > SORTED_BY_INSERTION) {
    nodes.sort((a, b) => a.id - b.id);
    return;
  }
  for (let i = 1; i < nodes.length; i++) {
    const node = nodes[i]!;
    let at = i;
    for (; at > 0 && nodes[at - 1]!.id > node.id; at--) nodes[at] = nodes[at - 1]!;
    nodes[at] = node;
  }
}
