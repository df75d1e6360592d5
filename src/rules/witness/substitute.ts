import type { EngineEvent, Expr, Scalar } from '../../engine/index.js';

/** What is known while the next event of a stream is made up. */
export interface Known {
  /** Events that each step has taken so far. */
  readonly taken: ReadonlyMap<string, readonly EngineEvent[]>;
  readonly time: number;
  readonly key: string;
  /** Field that the kind of an event stands in; `null`: in none. */
  readonly typeField: string | null;
}

/** Pseudo-fields for what an event says of itself. */
export const KIND = '$kind';
export const STREAM = '$stream';

/** What all lists hold in a witness, and have for each key. */
export const LISTED = 'listed';
export const LOOKED_UP = '100';

const TRUE: Expr = { op: 'const', value: true };
/** A value that is never there. */
const MISSING: Expr = { op: 'const', value: Number.NaN };

const constant = (value: Scalar | undefined): Expr => (value === undefined ? MISSING : { op: 'const', value });

/** Fills in all that is known before the event: what is left speaks of its fields alone. Conditions on features count as true. */
export function substitute(expr: Expr, known: Known): Expr {
  const inner = (part: Expr): Expr => substitute(part, known);
  switch (expr.op) {
    case 'meta':
      if (expr.name === 'time') return constant(known.time);
      if (expr.name === 'key') return constant(known.key);
      return { op: 'field', name: expr.name === 'stream' ? STREAM : (known.typeField ?? KIND) };
    case 'aggregate':
      return constant(statistic(expr, known.taken.get(expr.step) ?? []));
    case 'nth':
      return constant(fieldOf(known.taken.get(expr.step)?.[expr.index], expr.field));
    case 'compare':
      if (readsFeature(expr)) return TRUE;
      return { ...expr, left: inner(expr.left), right: inner(expr.right) };
    case 'arith':
      return { ...expr, left: inner(expr.left), right: inner(expr.right) };
    case 'in':
      return { ...expr, left: inner(expr.left) };
    case 'inList':
      return { ...expr, value: inner(expr.value) };
    case 'lookup':
      return constant(expr.as === 'number' ? Number(LOOKED_UP) : LOOKED_UP);
    case 'and':
    case 'or':
    case 'call':
      return { ...expr, args: expr.args.map(inner) };
    case 'not':
      return readsFeature(expr.arg) && expr.arg.op !== 'and' && expr.arg.op !== 'or'
        ? TRUE
        : { ...expr, arg: inner(expr.arg) };
    case 'present':
      return readsFeature(expr) ? TRUE : { ...expr, arg: inner(expr.arg) };
    case 'if':
      return { ...expr, test: inner(expr.test), whenTrue: inner(expr.whenTrue), whenFalse: inner(expr.whenFalse) };
    default:
      return expr;
  }
}

export function readsFeature(expr: Expr): boolean {
  return JSON.stringify(expr).includes('"op":"feature"');
}

function fieldOf(event: EngineEvent | undefined, field: string): Scalar | undefined {
  if (event === undefined) return undefined;
  if (field === '$time') return event.time;
  if (field === '$kind') return event.kind;
  const value = event.fields[field];
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}

function statistic(expr: Extract<Expr, { op: 'aggregate' }>, events: readonly EngineEvent[]): Scalar | undefined {
  if (expr.fn === 'count') return events.length;
  const values = events.map((event) => fieldOf(event, expr.field ?? '')).filter((value) => value !== undefined);
  if (expr.fn === 'first') return fieldOf(events[0], expr.field ?? '');
  if (expr.fn === 'last') return fieldOf(events.at(-1), expr.field ?? '');
  if (expr.fn === 'distinct') return new Set(values).size;
  const numbers = values.filter((value) => typeof value === 'number');
  const sum = numbers.reduce((a, b) => a + b, 0);
  if (expr.fn === 'sum') return sum;
  if (numbers.length === 0) return undefined;
  const mean = sum / numbers.length;
  if (expr.fn === 'avg') return mean;
  if (expr.fn === 'min') return Math.min(...numbers);
  if (expr.fn === 'max') return Math.max(...numbers);
  return Math.sqrt(numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length);
}
