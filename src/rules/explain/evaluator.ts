import {
  type EngineEvent,
  type Expr,
  type Feature,
  FeatureTable,
  type Lists,
  type MatchNode,
  PatternCompiler,
  type Scalar,
} from '../../engine/index.js';
import type { Explaining } from './explain-condition.js';

/** What a condition sees, as of one moment. */
export interface Seen {
  readonly event: EngineEvent;
  /** Newest event of the partial match; absent: it has none. */
  readonly head?: MatchNode | null;
  /** Names of the steps that `head` speaks of by number. */
  readonly steps?: readonly string[];
  /** Values of features; one that is not there is missing. */
  readonly features?: ReadonlyMap<Feature, Scalar | null>;
  /** The key that the event is counted for. */
  readonly key?: string;
  readonly lists?: Lists;
  /** What a rule calls a feature. */
  readonly nameOf?: (feature: Feature) => string;
}

/** Has expressions evaluated by the engine's own code, as of one moment. */
export function explainingOf(seen: Seen): Explaining {
  const { event, head = null, steps = [], features = new Map(), key = '', lists } = seen;
  const table = new FeatureTable();
  const values = new Map([...features].map(([feature, value]) => [table.cell(feature), value]));
  const asSeen = (expr: Expr): Expr => withValues(expr, key, (feature) => values.get(table.cell(feature)) ?? null);
  const compiler = new PatternCompiler(lists === undefined ? {} : { lists });
  return {
    value: (expr) => {
      const value = compiler.predicates.valueOf(asSeen(expr), steps)(event, event.fields, head);
      if (typeof value === 'number') return Number.isNaN(value) ? null : value;
      return typeof value === 'string' || typeof value === 'boolean' ? value : null;
    },
    isTrue: (condition) => {
      const of = condition.op === 'function' ? condition : asSeen(condition);
      const literal = compiler.literalOf({ op: 'leaf', condition: of }, steps)!;
      compiler.predicates.mark.next();
      return literal.predicate.test(event, event.fields, head) !== literal.negated;
    },
    ...(seen.nameOf === undefined ? {} : { nameOf: seen.nameOf }),
  };
}

const MISSING: Expr = { op: 'const', value: Number.NaN };

/** The expression with what the host tells conditions written in their place. */
function withValues(expr: Expr, key: string, valueAt: (feature: Feature) => Scalar | null): Expr {
  const inner = (part: Expr): Expr => withValues(part, key, valueAt);
  switch (expr.op) {
    case 'feature': {
      const value = valueAt(expr.feature);
      return value === null ? MISSING : { op: 'const', value };
    }
    case 'meta':
      return expr.name === 'key' ? { op: 'const', value: key } : expr;
    case 'compare':
    case 'arith':
      return { ...expr, left: inner(expr.left), right: inner(expr.right) };
    case 'in':
      return { ...expr, left: inner(expr.left) };
    case 'inList':
      return { ...expr, value: inner(expr.value) };
    case 'lookup':
      return { ...expr, key: inner(expr.key) };
    case 'and':
    case 'or':
    case 'call':
      return { ...expr, args: expr.args.map(inner) };
    case 'not':
    case 'present':
      return { ...expr, arg: inner(expr.arg) };
    case 'if':
      return { ...expr, test: inner(expr.test), whenTrue: inner(expr.whenTrue), whenFalse: inner(expr.whenFalse) };
    default:
      return expr;
  }
}
