import type { CompiledPattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';

/**
 * The shared graph of partial matches, for patterns whose conditions look at the event under test alone. Runs in the same
 * state of the automaton then all do the same with an event, so a state does not have a list of runs but a set of them: a
 * node of a graph in which each path down to a first event is one run. However many runs there are, an event adds a few nodes.
 *
 * The structure is that of CORE (PVLDB 15(9), 2022), adapted: `Item` is the paper's extend node (and, where it begins runs, the
 * union with bottom); `RunSet` is its union node, here a node of a persistent leftist heap; `newest` is the paper's max-start.
 *
 * Invariants
 * 1. Nodes never change. A node's id is higher than those of all nodes below it.
 * 2. `newest` is the latest first event of the runs below, and a heap has the item of the highest one at its root. So where the
 *    root's `newest` is outside the window, all below is; and each set that is alive has an item that is.
 * 3. Within a state there is one item for each event, step and automaton state that is taken to. Items made by one event have ids
 *    in the order of step and automaton state. So ids order items by what they are, not by how the graph came about.
 */
export type GraphNode = Item | RunSet;

/** An event that runs have taken. */
export interface Item {
  readonly id: number;
  readonly event: EngineEvent;
  /** Index of the step in the pattern's `steps`. */
  readonly step: number;
  /** Index of the automaton's state that the event led to. */
  readonly state: number;
  /** How many runs begin with this event; nearly always 0 or 1. */
  readonly starts: number;
  /** The runs that it continues; `null`: none. */
  readonly previous: RunSet | null;
  readonly newest: EngineEvent;
}

/** A set of runs, never empty: those of its item, and those of two more sets. */
export interface RunSet {
  readonly id: number;
  readonly item: Item;
  readonly left: RunSet | null;
  readonly right: RunSet | null;
  /** Sets on the way down to the right; never more than on the left. */
  readonly rank: number;
}

/** All that one pattern knows of one key. Plain data; never changes. */
export interface GraphState {
  /** Indices of the automaton's states that have runs, ascending. */
  readonly states: readonly number[];
  /** The runs of each. */
  readonly sets: readonly RunSet[];
  /** Higher than the id of any node. */
  readonly nextId: number;
  /** Ids are given out anew once `nextId` is beyond this. */
  readonly idsMax: number;
  /** Items that were alive at the last compaction. */
  readonly held: number;
  /** Items added since. */
  readonly added: number;
}

/** `idsMax` of a state that has so many nodes: room to go on, in proportion. */
export const idsMaxFor = (nodes: number): number => 1024 + 4 * nodes;

export const isItem = (node: GraphNode): node is Item => 'event' in node;

/** Which runs count as alive, by their first event. */
export interface Horizon {
  /** Window in ms; 0: none. */
  readonly windowMs: number;
  /** Present event time, in ms. */
  readonly time: number;
  /** Only runs that began with an event of a higher `seq` count. */
  readonly afterSeq: number;
}

/** Everything counts. */
export const ENDLESS: Horizon = { windowMs: 0, time: 0, afterSeq: Number.NEGATIVE_INFINITY };

export const horizonAt = (pattern: CompiledPattern, time: number): Horizon => ({
  windowMs: pattern.windowMs,
  time,
  afterSeq: Number.NEGATIVE_INFINITY,
});

/** Whether a run that began with the event is alive. */
export function isAlive(first: EngineEvent, { windowMs, time, afterSeq }: Horizon): boolean {
  return (windowMs === 0 || first.time + windowMs > time) && first.seq > afterSeq;
}

/** Items held for the key, at most: what has died since the last compaction still counts. */
export const graphItems = (state: GraphState | undefined): number =>
  state === undefined ? 0 : state.held + state.added;

/** Time of the latest event that began a run, in ms: once its window has ended, nothing is left of the state. */
export function latestStart(state: GraphState): number {
  let latest = Number.NEGATIVE_INFINITY;
  for (const set of state.sets) latest = Math.max(latest, set.item.newest.time);
  return latest;
}
