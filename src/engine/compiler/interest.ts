import {
  type CompiledState,
  type CompiledTransition,
  IGNORE,
  type Interest,
  PROCEED,
  TAKE,
  type Term,
} from './compiled-state.js';
import { type Literal, negate, sameLiteral } from './predicate.js';

/** More terms than this are not told apart. */
const TERMS_MAX = 32;
const ANY: readonly Term[] = [[]];

/** Interests, one object of each kind. */
export class InterestTable {
  readonly always: Interest = { key: '', terms: ANY, bit: 1, seen: -0.5 };
  private readonly byKey = new Map<string, Interest>();

  of(terms: readonly Term[]): Interest {
    const simple = simplify(terms);
    if (simple.some((term) => term.length === 0)) return this.always;
    const key = simple.map(termKey).sort().join(' | ');
    let interest = this.byKey.get(key);
    if (interest === undefined) {
      interest = { key, terms: simple, bit: 1 << (1 + (this.byKey.size % 30)), seen: -0.5 };
      this.byKey.set(key, interest);
    }
    return interest;
  }
}

/** The events that can begin a run. */
export function startTerms(start: CompiledState): readonly Term[] {
  const edges = edgesOf(start);
  return edges === null ? ANY : termsOf(edges.filter((e) => e.action === TAKE).map((e) => e.path));
}

/**
 * The events that can change a run in the state, be it that they end it. To pass over an event from an optional step or a loop
 * makes two runs of one, which wait for the step's next event and for what follows; together they do all that the one would
 * do, so that an event which is passed over is as good as none. Where `splits`, it counts as a change all the same.
 */
export function changeTerms(state: CompiledState, splits: boolean): readonly Term[] {
  const edges = edgesOf(state);
  if (edges === null) return ANY;
  const passed = edges.filter((edge) => edge.action === IGNORE);
  if (passed.length === 0 || (splits && passed.some((edge) => edge.target !== state))) return ANY;
  if (!isSumOf(state, edges, new Set(passed.map((edge) => edge.target)))) return ANY;
  return limited([
    ...termsOf(edges.filter((e) => e.action === TAKE).map((e) => e.path)),
    ...passed.flatMap((edge) => edge.path.flatMap((literal) => expand(negate(literal)))),
  ]);
}

/** An edge that an event can take from a state, be it after proceeds: under which conditions, and what it does. */
interface Edge {
  readonly path: readonly Literal[];
  readonly action: CompiledTransition['action'];
  readonly target: CompiledState;
  readonly key: string;
}

/** The edges that an event can reach from a state by proceeds; `null`: too many to look at. */
function edgesOf(from: CompiledState): readonly Edge[] | null {
  const edges: Edge[] = [];
  const visit = (state: CompiledState, before: readonly Literal[]): void => {
    for (const t of state.transitions) {
      if (edges.length > TERMS_MAX) return;
      const path =
        t.literal === null || before.some((l) => sameLiteral(l, t.literal!)) ? before : [...before, t.literal];
      if (t.action === PROCEED) visit(t.target, path);
      else edges.push({ path, action: t.action, target: t.target, key: edgeKey(path, t, state.step) });
    }
  };
  visit(from, []);
  return edges.length > TERMS_MAX ? null : edges;
}

const edgeKey = (path: readonly Literal[], t: CompiledTransition, step: number): string =>
  `${termKey(path)} ${t.action} ${t.target.index} ${step}`;

/** Whether the state's edges are those of the others together. A stop would end all runs of one state at once. */
function isSumOf(state: CompiledState, edges: readonly Edge[], others: ReadonlySet<CompiledState>): boolean {
  if (others.size === 1 && others.has(state)) return true;
  if (state.gapMs > 0 || edges.some((edge) => edge.target.isStop)) return false;
  const sum: string[] = [];
  for (const other of others) {
    const added = edgesOf(other);
    if (added === null || other.gapMs > 0) return false;
    sum.push(...added.map((edge) => edge.key));
  }
  const own = edges.map((edge) => edge.key);
  return own.sort().join('\n') === sum.sort().join('\n');
}

const termsOf = (paths: readonly (readonly Literal[])[]): readonly Term[] =>
  limited(paths.flatMap((path) => path.map(expand).reduce(product, ANY)));

/** The literal as terms. */
function expand(literal: Literal): readonly Term[] {
  const { predicate, negated } = literal;
  if (predicate.junction !== null) {
    const { op, parts } = predicate.junction;
    const sides = parts.map((part) => expand(negated ? negate(part) : part));
    return (op === 'all') === !negated ? sides.reduce(product) : limited(sides.flat());
  }
  if (predicate.dependsOn !== 'event') return ANY;
  return predicate.expr?.op === 'const' ? (predicate.expr.value === !negated ? ANY : []) : [[literal]];
}

function product(left: readonly Term[], right: readonly Term[]): readonly Term[] {
  return limited(left.flatMap((l) => right.map((r) => [...l, ...r])));
}

const limited = (terms: readonly Term[]): readonly Term[] => (terms.length > TERMS_MAX ? ANY : terms);

/** Without repetitions, contradictions, and terms that another one contains. */
function simplify(terms: readonly Term[]): readonly Term[] {
  const single = terms
    .map((term) => term.filter((l, i) => term.findIndex((m) => sameLiteral(l, m)) === i))
    .filter((term) => !term.some((l) => term.some((m) => sameLiteral(l, negate(m)))));
  const contains = (outer: Term, inner: Term): boolean => inner.every((l) => outer.some((m) => sameLiteral(l, m)));
  return single.filter(
    (term, i) => !single.some((other, j) => i !== j && contains(term, other) && (other.length < term.length || j < i)),
  );
}

const termKey = (term: Term): string =>
  term
    .map((l) => `${l.negated ? '!' : ''}${l.predicate.key}`)
    .sort()
    .join(' & ');
