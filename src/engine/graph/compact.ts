import type { CompiledPattern } from '../compiler/compile.js';
import { nodesBelow, placeIn } from './below.js';
import {
  ENDLESS,
  type GraphNode,
  type GraphState,
  type Horizon,
  horizonAt,
  type Item,
  idsMaxFor,
  isAlive,
  isItem,
  type RunSet,
} from './node.js';
import { NodeMaker } from './node-maker.js';

/**
 * Nothing is done when a window ends: what is dead is passed over, and goes when the graph is compacted, which copies the part
 * alive. That is due once more than twice as many items were added as were alive the time before (and more than 16). So each
 * item added pays for the copying of one and a half at most, and a key never holds more than three times its items alive and 17.
 *
 * When it is due is told by `held` and `added` alone, which depend on the events and not on how the graph is laid out: runs that
 * are over the limit are dropped at the same event, whether or not the state was saved and loaded in between, or pruned.
 */
export interface GraphLimits {
  /** Most items of one pattern for one key. A quarter more may be held before it is looked at. */
  readonly itemsMax: number;
}

type Counted = Pick<GraphState, 'held' | 'added'>;

/** Low, because an item holds its event, and most keys have few. */
const ADDED_MIN = 16;

export function compactionIsDue({ held, added }: Counted, { itemsMax }: GraphLimits): boolean {
  return added > Math.max(ADDED_MIN, 2 * held) || held + added > itemsMax + (itemsMax >> 2);
}

/** Nodes that no item stands for (sets led together, items of completed matches) use up ids as well. */
export const idsAreUsedUp = ({ nextId, idsMax }: GraphState): boolean => nextId > idsMax;

/**
 * Copies what is alive. If that is more than `itemsMax` items, it drops the runs that began first, until half of `itemsMax` is
 * left at most (runs that began with the same event go together), and tells `dropped` how many items went.
 */
export function compact(
  pattern: CompiledPattern,
  state: GraphState,
  time: number,
  limits: GraphLimits,
  dropped: (items: number) => void,
): GraphState | undefined {
  const horizon = horizonAt(pattern, time);
  const alive = copyAlive(state, horizon);
  if (alive === undefined || alive.held <= limits.itemsMax) return alive;
  const kept = copyAlive(alive, { ...horizon, afterSeq: lastSeqDropped(alive, limits.itemsMax >> 1) });
  dropped(alive.held - (kept?.held ?? 0));
  return kept;
}

/** Forgets what is dead at a time; `undefined`: nothing is left. When the next compaction is due stays as it is. */
export function pruneGraph(pattern: CompiledPattern, state: GraphState, time: number): GraphState | undefined {
  const copy = renumber(pattern, state, time);
  return copy?.nextId === state.nextId ? state : copy;
}

/** `pruneGraph` that gives out ids anew even if nothing is dead. */
export function renumber(pattern: CompiledPattern, state: GraphState, time: number): GraphState | undefined {
  const copy = copyAlive(state, horizonAt(pattern, time));
  return copy && { ...copy, held: state.held, added: state.added };
}

/** The start up to which all must go, so that at most `itemsMax` items are left. */
function lastSeqDropped(state: GraphState, itemsMax: number): number {
  const starts: number[] = [];
  for (const node of nodesBelow(state.sets, ENDLESS)) if (isItem(node)) starts.push(node.newest.seq);
  return starts.sort((a, b) => b - a)[itemsMax]!;
}

/** The part alive, with new ids without gaps; a node that stays as it is, with all below it, is not copied. */
function copyAlive(state: GraphState, horizon: Horizon): GraphState | undefined {
  const isLeft = state.sets.map((set) => isAlive(set.item.newest, horizon));
  const sets = state.sets.filter((_, i) => isLeft[i]);
  if (sets.length === 0) return undefined;
  const nodes = nodesBelow(sets, horizon);
  const copies: GraphNode[] = [];
  const make = new NodeMaker();
  let held = 0;
  const copyOf = <T extends GraphNode>(node: T | null): T | null => {
    const place = node === null ? -1 : placeIn(nodes, node);
    return place < 0 ? null : (copies[place] as T);
  };
  for (const node of nodes) {
    if (isItem(node)) held++;
    copies.push(isItem(node) ? copyItem(make, node, copyOf) : copySet(make, node, copyOf));
  }
  return {
    states: state.states.filter((_, i) => isLeft[i]),
    sets: sets.map((set) => copyOf(set)!),
    nextId: make.nextId,
    idsMax: idsMaxFor(make.nextId),
    held,
    added: 0,
  };
}

type CopyOf = <T extends GraphNode>(node: T | null) => T | null;

function copyItem(make: NodeMaker, item: Item, copyOf: CopyOf): Item {
  const previous = copyOf(item.previous);
  if (item.id === make.nextId && previous === item.previous) return make.keep(item);
  return make.item(item.event, item.step, item.state, item.starts, previous);
}

function copySet(make: NodeMaker, set: RunSet, copyOf: CopyOf): RunSet {
  const [item, left, right] = [copyOf(set.item)!, copyOf(set.left), copyOf(set.right)];
  const isSame = set.id === make.nextId && item === set.item && left === set.left && right === set.right;
  return isSame ? make.keep(set) : make.set(item, left, right);
}
