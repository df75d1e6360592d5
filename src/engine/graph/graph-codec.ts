import type { EngineEvent } from '../event.js';
import { nodesBelow, placeIn } from './below.js';
import { ENDLESS, type GraphNode, type GraphState, type Item, idsMaxFor, isItem, type RunSet } from './node.js';
import { NodeMaker } from './node-maker.js';

/**
 * A graph as numbers, and back:
 *
 *     held  added  nodes  { item: step + 1, event, state, starts, previous | set: 0, item, left, right }…  sets  { state, set }…
 *
 * Events are numbers in a table that the caller keeps, so that it can be shared by all that is written of a key. A node comes
 * after those it points to; it names them by how far back they are, 0: none. Nothing recurses.
 */
export interface NumberSink {
  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void;
}

export interface NumberSource {
  varint(): number;
}

/** Calls `add` for the event of each item of the graph, oldest first; an event may come several times in succession. */
export function collectEvents(state: GraphState, add: (event: EngineEvent) => void): void {
  for (const node of nodesBelow(state.sets, ENDLESS)) if (isItem(node)) add(node.event);
}

/** `indexOf`: place in the table of an event that `collectEvents` has named. */
export function encodeGraph(out: NumberSink, state: GraphState, indexOf: (event: EngineEvent) => number): void {
  const nodes = nodesBelow(state.sets, ENDLESS);
  out.varint(state.held);
  out.varint(state.added);
  out.varint(nodes.length);
  nodes.forEach((node, at) => {
    const back = (to: GraphNode | null): void => out.varint(to === null ? 0 : at - placeIn(nodes, to));
    if (isItem(node)) {
      out.varint(node.step + 1);
      out.varint(indexOf(node.event));
      out.varint(node.state);
      out.varint(node.starts);
      back(node.previous);
    } else {
      out.varint(0);
      back(node.item);
      back(node.left);
      back(node.right);
    }
  });
  out.varint(state.sets.length);
  state.sets.forEach((set, i) => {
    out.varint(state.states[i]!);
    out.varint(placeIn(nodes, set));
  });
}

/** `events`: the table. Throws `RangeError` for numbers that are no graph. */
export function decodeGraph(input: NumberSource, events: readonly EngineEvent[]): GraphState {
  const reader = new GraphReader(input, events);
  return reader.read();
}

class GraphReader {
  private readonly nodes: GraphNode[] = [];
  private readonly make = new NodeMaker();

  constructor(
    private readonly input: NumberSource,
    private readonly events: readonly EngineEvent[],
  ) {}

  read(): GraphState {
    const { input, nodes } = this;
    const held = input.varint();
    const added = input.varint();
    for (let left = input.varint(); left > 0; left--) {
      const kind = input.varint();
      nodes.push(kind === 0 ? this.set() : this.item(kind - 1));
    }
    const states: number[] = [];
    const sets: RunSet[] = [];
    for (let left = input.varint(); left > 0; left--) {
      states.push(input.varint());
      sets.push(asSet(this.node(input.varint())));
    }
    return { states, sets, nextId: nodes.length, idsMax: idsMaxFor(nodes.length), held, added };
  }

  private item(step: number): Item {
    const event = this.events[this.input.varint()];
    if (event === undefined) throw new RangeError('an item of a graph names no event');
    const state = this.input.varint();
    const starts = this.input.varint();
    const previous = this.back();
    if (starts === 0 && previous === null) throw new RangeError('an item of a graph belongs to no run');
    return this.make.item(event, step, state, starts, previous && asSet(previous));
  }

  private set(): RunSet {
    const [item, left, right] = [this.back(), this.back(), this.back()];
    if (item === null || !isItem(item)) throw new RangeError('a set of a graph has no item');
    return this.make.set(item, left && asSet(left), right && asSet(right));
  }

  private back(): GraphNode | null {
    const distance = this.input.varint();
    return distance === 0 ? null : this.node(this.nodes.length - distance);
  }

  private node(at: number): GraphNode {
    const node = this.nodes[at];
    if (node === undefined) throw new RangeError('a graph points to a node that is not there');
    return node;
  }
}

function asSet(node: GraphNode): RunSet {
  if (isItem(node)) throw new RangeError('a graph has an item where a set should be');
  return node;
}
