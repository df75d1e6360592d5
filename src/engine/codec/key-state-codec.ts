import { decodeFeatures, encodeFeatures, mapWindows, type WindowMap } from '../aggregate/feature-codec.js';
import { compileFeatures } from '../aggregate/feature-set.js';
import type { MatchNode } from '../buffer/match-node.js';
import type { PatternState, Run } from '../buffer/run.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import type { EngineEvent } from '../event.js';
import { collectEvents, decodeGraph, encodeGraph } from '../graph/graph-codec.js';
import { slotGroup } from '../ruleset/group-step.js';
import { type KeyState, NO_GROUPS, slotsOf } from '../ruleset/key-state.js';
import type { RuleSet } from '../ruleset/rule-set.js';
import { fitsSlot, isGraphState, isWindowed, type Slot, type SlotState, slotMask } from '../ruleset/slot-state.js';
import { hasBlocks, KEY_STATE_VERSION, passOutline, readVersion, writeOutline } from './outline.js';
import { decodeWindowed, encodeWindowed } from './window-codec.js';

/**
 * Key state as bytes, and back.
 *
 *     version  events  features  nodes  patterns  outline
 *
 * Events and nodes are tables: each event and each node of the shared match buffer is written once, however many runs share
 * it, and a node comes after the one it points to. Events stand in order of `seq`, so that new ones come last and what has gone is
 * missing first: a host that stores them apart finds the others where they were; so it can with the blocks of the windows of features. The start run is left out but for its place in the heap's array. For the outline
 * see `outline.ts`.
 */

/** What follows a slot: its runs, its shared graph, or its windows. */
const RUNS = 0;
const GRAPH = 1;
const WINDOWS = 2;

/** How the host writes an event; the engine knows only times, order, kind and fields. */
export interface EventCodec {
  /** May be a view that holds until the next call. */
  encode(event: EngineEvent): Uint8Array;
  /** The bytes are a view of those that the state is read from; an event that keeps them needs these to stay as they are. */
  decode(bytes: Uint8Array): EngineEvent;
}

const NO_FEATURES = compileFeatures([]);

/** Used by one call at a time: encoding has no pauses. */
const scratch = new ByteWriter();

export function encodeKeyState(state: KeyState, rules: RuleSet, codec: EventCodec): Uint8Array {
  return viewKeyState(state, rules, codec).slice();
}

/** `encodeKeyState` for a host that copies the bytes itself: a view that holds until the next key state is encoded. */
export function viewKeyState(state: KeyState, rules: RuleSet, codec: EventCodec): Uint8Array {
  const table = new EventTable();
  const { slots, states } = slotsOf(state);
  for (const s of states) {
    if (isGraphState(s)) collectEvents(s, (event) => table.addEvent(event));
    else if (isWindowed(s)) for (const event of s.newest) table.addEvent(event);
    else for (const run of [...s.partial, ...s.completed]) table.addNode(run.head);
  }
  table.sort();
  const out = scratch;
  out.varint(KEY_STATE_VERSION);
  out.varint(table.events.size);
  for (const event of table.events.keys()) out.byteString(codec.encode(event));
  if (rules.features === null) out.varint(0);
  else encodeFeatures(out, rules.features, state.features);
  out.varint(table.nodes.size);
  for (const node of table.nodes.keys()) {
    out.varint(table.placeOf(node.event));
    out.varint(node.step);
    out.varint(table.referenceTo(node.previous));
  }
  out.varint(slots.length);
  slots.forEach((slot, i) => {
    out.varint(slot);
    encodeSlot(out, states[i]!, table);
  });
  writeOutline(out, rules, state);
  return out.take();
}

function encodeSlot(out: ByteWriter, state: SlotState, table: EventTable): void {
  if (isGraphState(state)) {
    out.varint(GRAPH);
    encodeGraph(out, state, (event) => table.placeOf(event));
    return;
  }
  if (isWindowed(state)) {
    out.varint(WINDOWS);
    encodeWindowed(out, state, (event) => table.placeOf(event));
    return;
  }
  out.varint(RUNS);
  encodeRuns(out, state.partial, table);
  encodeRuns(out, state.completed, table);
}

/** How the parts of a key state are numbered in its bytes: the slots and the windows of features of the rule set that wrote it. */
export interface KeyStateLayout {
  /** The slot in the rule set that reads; a slot that maps to nothing is dropped. */
  slot(written: number): number | undefined;
  readonly windows: WindowMap;
}

/** How to read what this very rule set wrote. */
export function ownLayout(rules: RuleSet): KeyStateLayout {
  return { slot: (written) => written, windows: windowsFrom(rules, windowIdsOf(rules)) };
}

/** Names of the windows of features that the rule set keeps, by their numbers in key states. */
export const windowIdsOf = (rules: RuleSet): readonly string[] => rules.features?.windowIds ?? [];

/** Where the windows of another rule set are in this one. */
export const windowsFrom = (rules: RuleSet, windowIds: readonly string[]): WindowMap =>
  rules.features === null ? windowIds.map(() => null) : mapWindows(rules.features, windowIds);

/**
 * `layout`: of the rule set that wrote the state; without it, this rule set wrote it.
 * Throws `KeyStateVersionError` for bytes of a later version, `RangeError` for bytes that are not whole.
 */
export function decodeKeyState(
  bytes: Uint8Array,
  rules: RuleSet,
  codec: EventCodec,
  layout: KeyStateLayout = ownLayout(rules),
): KeyState | undefined {
  const input = new ByteReader(bytes);
  const version = readVersion(input);
  const events = table(input.varint(), () => codec.decode(input.byteString()));
  const inBlocks = hasBlocks(version);
  const readFeatures = () => decodeFeatures(input, rules.features ?? NO_FEATURES, layout.windows, inBlocks);
  let features = inBlocks ? readFeatures() : undefined;
  const nodes: MatchNode[] = [];
  for (let left = input.varint(); left > 0; left--) {
    const event = events[input.varint()]!;
    const step = input.varint();
    nodes.push({ event, step, previous: nodes[input.varint() - 1] ?? null });
  }
  const entries: Entry[] = [];
  for (let left = input.varint(); left > 0; left--) {
    const slot = layout.slot(input.varint());
    const known = slot === undefined ? null : rules.slots[slot]!;
    const from = input.position;
    const state = decodeSlot(input, known, events, nodes);
    // A state of the other kind was written by a rule set that shares more, or less, than this one.
    if (slot !== undefined && fitsSlot(known!, state))
      entries.push({ slot, state, bytes: bytes.subarray(from, input.position) });
  }
  if (!inBlocks) features = readFeatures();
  passOutline(input, version);
  if (entries.length === 0 && features === undefined) return undefined;
  entries.sort((a, b) => a.slot - b.slot);
  return keyStateOf(rules, entries, features);
}

/** A slot that was read, and what its state was read from. */
interface Entry {
  readonly slot: number;
  readonly state: SlotState;
  readonly bytes: Uint8Array;
}

/** Slots whose states are the same are a group again. */
function keyStateOf(rules: RuleSet, entries: readonly Entry[], features: KeyState['features']): KeyState {
  const { kinds } = rules.groups;
  const alike = entries.length > 1 ? alikeIn(rules, entries) : [];
  const groups = alike.map((group) =>
    slotGroup(
      kinds,
      group[0]!.state as PatternState,
      group.map((e) => e.slot),
    ),
  );
  const grouped = new Set(groups.flatMap((group) => group.slots));
  const apart = entries.filter((e) => !grouped.has(e.slot));
  return {
    slots: apart.map((e) => e.slot),
    states: apart.map((e) => e.state),
    masks: [...apart.map((e) => slotMask(rules.slots[e.slot]!, e.state)), ...groups.map((group) => group.mask)],
    groups: groups.length === 0 ? NO_GROUPS : groups,
    features,
  };
}

/** Entries of slots of one kind that begin alike, and were written in the same bytes: two or more in each. */
function alikeIn(rules: RuleSet, entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const { beginning } = rules.groups.kinds;
  const found: Entry[][] = [];
  const byHash = new Map<number, Entry[][]>();
  for (const entry of entries) {
    const kind = beginning[entry.slot]!;
    if (kind < 0 || (entry.state as PatternState).completed.length > 0) continue;
    const hash = hashOf(entry.bytes, kind);
    const known = byHash.get(hash) ?? [];
    const group = known.find(([other]) => beginning[other!.slot] === kind && isSame(other!.bytes, entry.bytes));
    if (group !== undefined) {
      group.push(entry);
      continue;
    }
    known.push([entry]);
    byHash.set(hash, known);
    found.push(known.at(-1)!);
  }
  return found.filter((group) => group.length > 1);
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function decodeSlot(
  input: ByteReader,
  slot: Slot | null,
  events: readonly EngineEvent[],
  nodes: readonly MatchNode[],
): SlotState {
  const kind = input.varint();
  if (kind === GRAPH) return decodeGraph(input, events);
  if (kind === WINDOWS) return decodeWindowed(input, slot?.pattern.window ?? null, events);
  const start = slot === null ? null : slot.pattern.start.startRun;
  const partial = decodeRuns(input, nodes, start);
  return { partial, completed: decodeRuns(input, nodes, start) };
}

/** Numbers events and nodes, a node after the one before it. */
class EventTable {
  events = new Map<EngineEvent, number>();
  readonly nodes = new Map<MatchNode, number>();
  private newest = Number.NEGATIVE_INFINITY;
  private isSorted = true;

  addEvent(event: EngineEvent): void {
    if (this.events.has(event)) return;
    this.events.set(event, this.events.size);
    if (event.seq < this.newest) this.isSorted = false;
    else this.newest = event.seq;
  }

  /** Numbers events in order of `seq`: to be called when all are known. */
  sort(): void {
    if (this.isSorted) return;
    const inOrder = [...this.events.keys()].sort((a, b) => a.seq - b.seq);
    this.events = new Map(inOrder.map((event, place) => [event, place]));
  }

  addNode(head: MatchNode | null): void {
    const path: MatchNode[] = [];
    for (let node = head; node !== null && !this.nodes.has(node); node = node.previous) path.push(node);
    for (const node of path.reverse()) {
      this.addEvent(node.event);
      this.nodes.set(node, this.nodes.size);
    }
  }

  placeOf(event: EngineEvent): number {
    return this.events.get(event)!;
  }

  /** 0: no node; otherwise the node's number and one. */
  referenceTo(node: MatchNode | null): number {
    return node === null ? 0 : this.nodes.get(node)! + 1;
  }
}

function encodeRuns(out: ByteWriter, runs: readonly Run[], nodes: EventTable): void {
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
