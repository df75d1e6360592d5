import type { AggregateFn, CompareOp, Expr, Scalar } from '../../engine/index.js';
import { NotExpressible } from './not-expressible.js';

export interface SqlColumns {
  /** Column that every row has a value in: rows are counted by it. */
  readonly time: string;
  /** Column of what `subtype` and `kind` test; `null`: there is none. */
  readonly type: string | null;
}

const COMPARE: Readonly<Record<CompareOp, string>> = {
  '==': '=',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
const AGGREGATES: Readonly<Partial<Record<AggregateFn, string>>> = {
  ...{ count: 'COUNT', sum: 'SUM', avg: 'AVG', min: 'MIN', max: 'MAX', first: 'FIRST', last: 'LAST' },
};
const CALLS: Readonly<Record<string, string>> = {
  ...{ abs: 'ABS', lower: 'LOWER', upper: 'UPPER', trim: 'TRIM', size: 'CHAR_LENGTH', sqrt: 'SQRT', floor: 'FLOOR' },
  ...{ ceil: 'CEIL', exp: 'EXP', log: 'LN' },
};

export const sqlName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

export const sqlScalar = (value: Scalar): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value).toUpperCase();

/**
 * A condition of a step as Flink SQL. SQL's unknown counts as false there, as a comparison with a missing value does here, so that only
 * `not` needs care. Throws `NotExpressible`.
 */
export function sqlExpr(expr: Expr, step: string, columns: SqlColumns): string {
  const inner = (of: Expr): string => sqlExpr(of, step, columns);
  const column = (name: string): string => `${sqlName(step)}.${sqlName(name)}`;
  switch (expr.op) {
    case 'const':
      return sqlScalar(expr.value);
    case 'field':
      return column(expr.name);
    case 'meta':
      if (expr.name === 'kind' && columns.type !== null) return column(columns.type);
      throw new NotExpressible(`${expr.name} has no column`);
    case 'aggregate':
      return aggregate(expr, step, columns);
    case 'nth':
      if (expr.step === step) throw new NotExpressible(`${expr.step} looks at its own events`);
      return `FIRST(${sqlName(expr.step)}.${sqlName(ownField(expr.field))}, ${expr.index})`;
    case 'compare':
      return `(${inner(expr.left)} ${COMPARE[expr.cmp]} ${inner(expr.right)})`;
    case 'in':
      if (expr.values.length === 0) return 'FALSE';
      return `(${inner(expr.left)} IN (${expr.values.map(sqlScalar).join(', ')}))`;
    case 'and':
      return expr.args.length === 0 ? 'TRUE' : `(${expr.args.map(inner).join(' AND ')})`;
    case 'or':
      return expr.args.length === 0 ? 'FALSE' : `(${expr.args.map(inner).join(' OR ')})`;
    case 'not':
      return `(${inner(expr.arg)} IS NOT TRUE)`;
    case 'arith':
      return arithmetic(expr.fn, inner(expr.left), inner(expr.right));
    case 'present':
      return `(${inner(expr.arg)} IS NOT NULL)`;
    case 'if':
      return `CASE WHEN ${inner(expr.test)} THEN ${inner(expr.whenTrue)} ELSE ${inner(expr.whenFalse)} END`;
    case 'call': {
      const fn = CALLS[expr.fn];
      if (fn === undefined) throw new NotExpressible(`the function ${expr.fn} is not there in SQL`);
      return `${fn}(${expr.args.map(inner).join(', ')})`;
    }
    case 'feature':
      throw new NotExpressible('features, which are windows of the key and not of the match, are not there');
    case 'inList':
    case 'lookup':
      throw new NotExpressible(`the reference list ${expr.list} is not there`);
  }
}

/** Whole numbers would be divided without their rest, and MOD takes no others. */
function arithmetic(fn: '+' | '-' | '*' | '/' | '%', left: string, right: string): string {
  if (fn === '/') return `(CAST(${left} AS DOUBLE) / ${right})`;
  if (fn === '%') return `(${left} - ${right} * TRUNCATE(CAST(${left} AS DOUBLE) / ${right}, 0))`;
  return `(${left} ${fn} ${right})`;
}

/** The event under test is already among a step's own in SQL, and here it is not. */
function aggregate(
  { fn, step: of, field }: Extract<Expr, { op: 'aggregate' }>,
  step: string,
  { time }: SqlColumns,
): string {
  if (of === step) throw new NotExpressible(`${of} looks at its own events`);
  const name = AGGREGATES[fn];
  if (name === undefined) throw new NotExpressible(`${fn} of the events of a step is not there`);
  return `${name}(${sqlName(of)}.${sqlName(field === undefined ? time : ownField(field))})`;
}

function ownField(field: string): string {
  if (field.startsWith('$')) throw new NotExpressible(`${field.slice(1)} of an event has no column`);
  return field;
}
