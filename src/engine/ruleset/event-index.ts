import type { Interest } from '../compiler/compiled-state.js';
import { type EventMark, type Literal, literalTest, type Test } from '../compiler/predicate.js';
import type { EngineEvent } from '../event.js';
import type { CompareOp, Expr, Scalar } from '../expression/expression.js';
import { functionOf } from '../expression/generated.js';
import { SlotBits } from './slot-bits.js';

/** Who waits for an interest: patterns that it can begin, and runs that it can change. */
export interface Waiting {
  readonly interest: Interest;
  /** Slots of the patterns that such an event can begin. */
  readonly starts: readonly number[];
  /** Runs under way can wait for it. */
  readonly awaited: boolean;
}

/**
 * The interests of a whole rule set, found from an event by look-up: equalities by hash, then bounds by binary search, and only
 * what is left of a term is tested. What it costs grows with the interests that hold, not with those that are loaded.
 *
 * Invariants
 * 1. After `look`, an interest of the index holds for the event if and only if its `seen` is the mark's `now`.
 * 2. `mask` then has the bits of all awaited interests that hold, and `starts` those of the patterns that can begin.
 */
export class EventIndex {
  mask = 0;
  startCount = 0;
  private readonly root = new Node();
  /** Slots of the patterns that the event can begin; only if `startCount` is not 0. */
  readonly starts: SlotBits;

  constructor(
    waiting: Iterable<Waiting>,
    slots: number,
    private readonly mark: EventMark,
  ) {
    this.starts = new SlotBits(slots);
    for (const w of waiting) for (const term of w.interest.terms) this.root.add(term, w);
    this.root.seal();
  }

  /** Finds what the event can begin or change; false: nothing at all. */
  look(event: EngineEvent): boolean {
    this.mark.next();
    this.mask = 0;
    if (this.startCount > 0) {
      this.startCount = 0;
      this.starts.clear();
    }
    this.root.visit(event, event.fields, this);
    return this.mask !== 0 || this.startCount > 0;
  }

  /** Whether the pattern in the slot can begin with the event. */
  canStart(slot: number): boolean {
    return this.starts.has(slot);
  }

  /** The first slot from `slot` on that can begin; infinity: none. */
  nextStart(slot: number): number {
    const next = this.startCount === 0 ? -1 : this.starts.next(slot);
    return next < 0 ? Number.POSITIVE_INFINITY : next;
  }

  /** For the index's own nodes. */
  found(waiting: Waiting): void {
    const now = this.mark.now[0]!;
    if (waiting.interest.seen === now) return;
    waiting.interest.seen = now;
    if (waiting.awaited) this.mask |= waiting.interest.bit;
    for (const slot of waiting.starts) {
      this.starts.add(slot);
      this.startCount++;
    }
  }
}

type Fields = EngineEvent['fields'];
type Getter = (event: EngineEvent, fields: Fields) => unknown;

/** One term's end: what is left to test, and who waits. */
interface Leaf {
  readonly tests: readonly Test[];
  readonly waiting: Waiting;
}

class Node {
  private readonly equal: EqualTable[] = [];
  private readonly bounds: BoundTable[] = [];
  private readonly rest: Leaf[] = [];

  add(term: readonly Literal[], waiting: Waiting): void {
    const equal = findFirst(term, equalityOf);
    if (equal !== null) {
      const { found, literal } = equal;
      const table = this.equalTable(found);
      const left = term.filter((l) => l !== literal);
      for (const value of found.values) table.child(value).add(left, waiting);
      return;
    }
    const bound = findFirst(term, boundOf);
    const tests = term.filter((l) => l !== bound?.literal).map(literalTest);
    if (bound === null) {
      this.rest.push({ tests, waiting });
      return;
    }
    const { value, strict } = bound.found;
    this.boundTable(bound.found).add({ value, strict, leaf: { tests, waiting } });
  }

  private equalTable({ source, left }: Equality): EqualTable {
    const known = this.equal.find((t) => t.source === source);
    if (known !== undefined) return known;
    const table = new EqualTable(source, getterOf(left));
    this.equal.push(table);
    return table;
  }

  private boundTable({ source, left, upper }: BoundLiteral): BoundTable {
    const known = this.bounds.find((t) => t.source === source && t.upper === upper);
    if (known !== undefined) return known;
    const table = new BoundTable(source, getterOf(left), upper);
    this.bounds.push(table);
    return table;
  }

  seal(): void {
    for (const table of this.equal) table.seal();
    for (const table of this.bounds) table.seal();
  }

  visit(event: EngineEvent, fields: Fields, index: EventIndex): void {
    const { equal, bounds, rest } = this;
    for (let i = 0; i < equal.length; i++) equal[i]!.visit(event, fields, index);
    for (let i = 0; i < bounds.length; i++) bounds[i]!.visit(event, fields, index);
    for (let i = 0; i < rest.length; i++) visitLeaf(rest[i]!, event, fields, index);
  }
}

function visitLeaf(leaf: Leaf, event: EngineEvent, fields: Fields, index: EventIndex): void {
  const { tests } = leaf;
  for (let i = 0; i < tests.length; i++) if (!tests[i]!(event, fields, null)) return;
  index.found(leaf.waiting);
}

/** Up to so many values are compared one by one. */
const COMPARED_MAX = 4;

/** Terms that demand a value of a field. */
class EqualTable {
  private readonly children = new Map<unknown, Node>();
  private values: Scalar[] = [];
  private nodes: Node[] = [];

  constructor(
    readonly source: string,
    private readonly get: Getter,
  ) {}

  child(value: Scalar): Node {
    let node = this.children.get(value);
    if (node === undefined) {
      node = new Node();
      this.children.set(value, node);
      this.values.push(value);
      this.nodes.push(node);
    }
    return node;
  }

  seal(): void {
    for (const node of this.nodes) node.seal();
  }

  visit(event: EngineEvent, fields: Fields, index: EventIndex): void {
    const value = this.get(event, fields);
    const { values } = this;
    if (values.length > COMPARED_MAX) {
      this.children.get(value)?.visit(event, fields, index);
      return;
    }
    for (let i = 0; i < values.length; i++) if (values[i] === value) this.nodes[i]!.visit(event, fields, index);
  }
}

interface Bound {
  readonly value: number;
  readonly strict: boolean;
  readonly leaf: Leaf;
}

/** Terms that demand a field to be above (or below) a number, sorted so that those which hold come first. */
class BoundTable {
  private bounds: Bound[] = [];
  private values = new Float64Array(0);

  constructor(
    readonly source: string,
    private readonly get: Getter,
    /** The field is to be below the bounds. */
    readonly upper: boolean,
  ) {}

  add(bound: Bound): void {
    this.bounds.push(bound);
  }

  seal(): void {
    const sign = this.upper ? -1 : 1;
    this.bounds.sort((a, b) => sign * (a.value - b.value) || Number(a.strict) - Number(b.strict));
    this.values = Float64Array.from(this.bounds, (b) => sign * b.value);
  }

  visit(event: EngineEvent, fields: Fields, index: EventIndex): void {
    const raw = this.get(event, fields);
    if (typeof raw !== 'number') return;
    const value = this.upper ? -raw : raw;
    const { values, bounds } = this;
    let low = 0;
    let high = values.length;
    // Ends at the number of bounds that are at or below the value. A value that is no number is above none.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    for (let i = 0; i < low; i++) {
      const bound = bounds[i]!;
      if (bound.strict && values[i] === value) break;
      visitLeaf(bound.leaf, event, fields, index);
    }
  }
}

// ---- which literals can be looked up ------------------------------------------------------------------------------------

interface Equality {
  readonly source: string;
  readonly left: Expr;
  readonly values: readonly Scalar[];
}

interface BoundLiteral {
  readonly source: string;
  readonly left: Expr;
  readonly upper: boolean;
  readonly value: number;
  readonly strict: boolean;
}

function findFirst<T>(term: readonly Literal[], look: (expr: Expr) => T | null): { literal: Literal; found: T } | null {
  for (const literal of term) {
    const { expr } = literal.predicate;
    const found = literal.negated || expr === null ? null : look(expr);
    if (found !== null) return { literal, found };
  }
  return null;
}

function equalityOf(expr: Expr): Equality | null {
  if (expr.op === 'in') return equality(expr.left, expr.values);
  if (expr.op !== 'compare' || expr.cmp !== '==') return null;
  if (expr.right.op === 'const') return equality(expr.left, [expr.right.value]);
  return expr.left.op === 'const' ? equality(expr.right, [expr.left.value]) : null;
}

function equality(left: Expr, values: readonly Scalar[]): Equality | null {
  const source = sourceOf(left);
  const sound = values.every((value) => typeof value !== 'number' || Number.isFinite(value));
  return source === null || !sound ? null : { source, left, values };
}

const MIRRORED: Readonly<Record<CompareOp, CompareOp>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function boundOf(expr: Expr): BoundLiteral | null {
  if (expr.op !== 'compare' || expr.cmp === '==' || expr.cmp === '!=') return null;
  if (expr.right.op === 'const') return bound(expr.left, expr.cmp, expr.right.value);
  return expr.left.op === 'const' ? bound(expr.right, MIRRORED[expr.cmp], expr.left.value) : null;
}

function bound(left: Expr, cmp: CompareOp, value: Scalar): BoundLiteral | null {
  const source = sourceOf(left);
  if (source === null || typeof value !== 'number' || !Number.isFinite(value)) return null;
  return { source, left, upper: cmp === '<' || cmp === '<=', value, strict: cmp === '<' || cmp === '>' };
}

function sourceOf(expr: Expr): string | null {
  if (expr.op === 'field') return `field ${expr.name}`;
  return expr.op === 'meta' && expr.name !== 'key' ? `meta ${expr.name}` : null;
}

const META = {
  time: (event: EngineEvent) => event.time,
  kind: (event: EngineEvent) => event.kind,
  stream: (event: EngineEvent) => event.stream,
};

function getterOf(expr: Expr): Getter {
  if (expr.op === 'meta') return META[expr.name as keyof typeof META];
  const name = JSON.stringify((expr as Extract<Expr, { op: 'field' }>).name);
  // Generated, so that each field is read at a place of its own in the code, which the machine can specialize.
  return functionOf([], `fields[${name}]`)() as Getter;
}
