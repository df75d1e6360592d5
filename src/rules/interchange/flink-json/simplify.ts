import type { Expr } from '../../../engine/index.js';

/**
 * A condition with the same meaning, as people would write it: what another language has to ask for because it takes missing values
 * otherwise, and what a comparison with a missing value says by itself here, is left out; several equalities are one `in`.
 */
export function simplified(expr: Expr): Expr {
  switch (expr.op) {
    case 'and':
      return conjunction(flat('and', expr.args).map(simplified));
    case 'or':
      return disjunction(flat('or', expr.args).map(simplified));
    case 'not':
      return { op: 'not', arg: simplified(expr.arg) };
    default:
      return expr;
  }
}

function flat(op: 'and' | 'or', args: readonly Expr[]): readonly Expr[] {
  return args.flatMap((arg) => (arg.op === op ? flat(op, arg.args) : [arg]));
}

function conjunction(args: readonly Expr[]): Expr {
  const there = new Set(args.flatMap((arg) => presentField(arg) ?? []));
  const known = args.map((arg) => (presentField(arg) === null ? assuming(arg, there) : arg));
  const kept = known.filter((arg, i) => {
    const name = presentField(arg);
    return name === null || !known.some((other, j) => j !== i && needs(other, name));
  });
  const unlike = kept.filter((arg, i) => i === kept.findIndex((other) => same(arg, other)));
  return unlike.length === 1 ? unlike[0]! : { op: 'and', args: flat('and', unlike) };
}

function disjunction(args: readonly Expr[]): Expr {
  if (args.length === 1) return args[0]!;
  const parts = args.map(equality);
  const [first] = parts;
  if (first && parts.every((part) => part !== null && part.field === first.field && part.type === first.type)) {
    return { op: 'in', left: { op: 'field', name: first.field }, values: parts.map((part) => part!.value) };
  }
  return { op: 'or', args };
}

const presentField = (expr: Expr): string | null =>
  expr.op === 'present' && expr.arg.op === 'field' ? expr.arg.name : null;

/** What is left of a condition where these fields are there. */
function assuming(expr: Expr, there: ReadonlySet<string>): Expr {
  if (expr.op === 'and') return { op: 'and', args: expr.args.map((arg) => assuming(arg, there)) };
  if (expr.op === 'not') return { op: 'not', arg: assuming(expr.arg, there) };
  if (expr.op !== 'or') return expr;
  const left = expr.args
    .filter((arg) => !(arg.op === 'not' && there.has(presentField(arg.arg) ?? '')))
    .map((arg) => assuming(arg, there));
  return left.length === 0 ? expr : disjunction(left);
}

/** Whether the condition is false where the field is missing. */
function needs(expr: Expr, field: string): boolean {
  if (expr.op === 'compare') return reads(expr.left, field) || reads(expr.right, field);
  if (expr.op === 'in') return reads(expr.left, field);
  if (expr.op === 'or') return expr.args.length > 0 && expr.args.every((arg) => needs(arg, field));
  return expr.op === 'and' && expr.args.some((arg) => needs(arg, field));
}

/** Whether the value is missing where the field is. */
function reads(expr: Expr, field: string): boolean {
  if (expr.op === 'field') return expr.name === field;
  return expr.op === 'arith' && (reads(expr.left, field) || reads(expr.right, field));
}

function equality(
  expr: Expr,
): { readonly field: string; readonly value: string | number; readonly type: string } | null {
  if (expr.op !== 'compare' || expr.cmp !== '==') return null;
  const { left, right } = expr;
  if (left.op !== 'field' || right.op !== 'const' || typeof right.value === 'boolean') return null;
  return { field: left.name, value: right.value, type: typeof right.value };
}

const same = (a: Expr, b: Expr): boolean => JSON.stringify(a) === JSON.stringify(b);
