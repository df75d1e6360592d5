import type { MatchNode } from '../buffer/match-node.js';
import type { EngineEvent } from '../event.js';
import type { PatternState, Run } from '../nfa/run.js';
import type { KeyState } from '../ruleset/key-state.js';
import { maskOf, type RuleSet } from '../ruleset/rule-set.js';
import { ByteReader, ByteWriter } from './bytes.js';

/**
 * Key state as bytes, and back.
 *
 *     version  events  nodes  patterns
 *
 * Events and nodes are tables: each event and each node of the shared match buffer is written once, however many runs share
 * it, and a node comes after the one it points to. The start run is left out but for its place in the heap's array.
 */
export const KEY_STATE_VERSION = 1;

/** How the host writes an event; the engine knows only times, order, kind and fields. */
export interface EventCodec {
  encode(event: EngineEvent): Uint8Array;
  /** The bytes are a view that the codec must not keep. */
  decode(bytes: Uint8Array): EngineEvent;
}

export class KeyStateVersionError extends Error {
  readonly code = 'KEY_STATE_VERSION';
}

/** Used by one call at a time: encoding has no pauses. */
const scratch = new ByteWriter();

export function encodeKeyState(state: KeyState, codec: EventCodec): Uint8Array {
  const nodes = new NodeTable();
  for (const s of state.states) {
    for (const run of s.partial) nodes.add(run.head);
    for (const run of s.completed) nodes.add(run.head);
  }
  const out = scratch;
  out.varint(KEY_STATE_VERSION);
  out.varint(nodes.events.size);
  for (const event of nodes.events.keys()) out.byteString(codec.encode(event));
  out.varint(nodes.nodes.size);
  for (const node of nodes.nodes.keys()) {
    out.varint(nodes.events.get(node.event)!);
    out.varint(node.step);
    out.varint(nodes.referenceTo(node.previous));
  }
  out.varint(state.slots.length);
  state.slots.forEach((slot, i) => {
    out.varint(slot);
    encodeRuns(out, state.states[i]!.partial, nodes);
    encodeRuns(out, state.states[i]!.completed, nodes);
  });
  return out.finish();
}

/**
 * `slots` maps the slots of the rule set that wrote the state to those of this one; a slot that maps to nothing is dropped.
 * Throws `KeyStateVersionError` for bytes of a later version, `RangeError` for bytes that are not whole.
 */
export function decodeKeyState(
  bytes: Uint8Array,
  rules: RuleSet,
  codec: EventCodec,
  slots: (slot: number) => number | undefined = (slot) => slot,
): KeyState | undefined {
  const input = new ByteReader(bytes);
  checkVersion(input);
  const events = table(input.varint(), () => codec.decode(input.byteString()));
  const nodes: MatchNode[] = [];
  for (let left = input.varint(); left > 0; left--) {
    const event = events[input.varint()]!;
    const step = input.varint();
    nodes.push({ event, step, previous: nodes[input.varint() - 1] ?? null });
  }
  const entries: { slot: number; state: PatternState }[] = [];
  for (let left = input.varint(); left > 0; left--) {
    const slot = slots(input.varint());
    const start = slot === undefined ? null : rules.patterns[slot]!.initial.partial[0]!;
    const partial = decodeRuns(input, nodes, start);
    const completed = decodeRuns(input, nodes, start);
    if (slot !== undefined) entries.push({ slot, state: { partial, completed } });
  }
  if (entries.length === 0) return undefined;
  entries.sort((a, b) => a.slot - b.slot);
  return {
    slots: entries.map((e) => e.slot),
    states: entries.map((e) => e.state),
    masks: entries.map((e) => maskOf(rules, e.slot, e.state)),
    features: undefined,
  };
}

/** The encoded events inside key state, as views: for a host that must get ready (fetch schemas) before it decodes them. */
export function encodedEvents(bytes: Uint8Array): Uint8Array[] {
  const input = new ByteReader(bytes);
  checkVersion(input);
  return table(input.varint(), () => input.byteString());
}

function checkVersion(input: ByteReader): void {
  const version = input.varint();
  if (version === KEY_STATE_VERSION) return;
  throw new KeyStateVersionError(`key state of version ${version}; this engine reads version ${KEY_STATE_VERSION}`);
}

/** Numbers events and nodes, a node after the one before it. */
class NodeTable {
  readonly events = new Map<EngineEvent, number>();
  readonly nodes = new Map<MatchNode, number>();

  add(head: MatchNode | null): void {
    const path: MatchNode[] = [];
    for (let node = head; node !== null && !this.nodes.has(node); node = node.previous) path.push(node);
    for (const node of path.reverse()) {
      if (!this.events.has(node.event)) this.events.set(node.event, this.events.size);
      this.nodes.set(node, this.nodes.size);
    }
  }

  /** 0: no node; otherwise the node's number and one. */
  referenceTo(node: MatchNode | null): number {
    return node === null ? 0 : this.nodes.get(node)! + 1;
  }
}

function encodeRuns(out: ByteWriter, runs: readonly Run[], nodes: NodeTable): void {
  out.varint(runs.length);
  for (const run of runs) {
    out.varint(nodes.referenceTo(run.head));
    if (run.head !== null) out.varint(run.state);
  }
}

function decodeRuns(input: ByteReader, nodes: readonly MatchNode[], start: Run | null): Run[] {
  return table(input.varint(), () => {
    const reference = input.varint();
    if (reference === 0) return start!;
    const head = nodes[reference - 1]!;
    return { state: input.varint(), head, first: firstEvent(head) };
  });
}

function firstEvent(head: MatchNode): EngineEvent {
  let node = head;
  while (node.previous !== null) node = node.previous;
  return node.event;
}

function table<T>(length: number, make: () => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < length; i++) items.push(make());
  return items;
}
