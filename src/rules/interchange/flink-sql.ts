import type { EventStep, Expr, Pattern, Step } from '../../engine/index.js';
import type { Rule } from '../rule.js';
import { NotExpressible } from './not-expressible.js';
import { sqlExpr, sqlName, sqlScalar } from './sql-expr.js';

/** The table that a rule is asked of. */
export interface SqlTable {
  readonly name: string;
  /** Its time attribute, in order of which rows come. */
  readonly time: string;
  /** Column of what `subtype` tests; `null`: there is none. */
  readonly type: string | null;
}

/** A part of `PATTERN`, with what its variables stand for. */
interface Part {
  readonly text: string;
  readonly defined: readonly (readonly [variable: string, condition: string])[];
}

/**
 * The rule as a query of Apache Flink SQL with `MATCH_RECOGNIZE`, which finds the same matches. What is passed over between two steps is a
 * variable of its own there, for rows that do not fit the next step.
 *
 * @throws NotExpressible with what of the rule SQL does not have.
 */
export function toFlinkSql(rule: Rule, table: SqlTable): string {
  const { pattern } = rule;
  if (rule.streams.length > 1) throw new NotExpressible('it reads several streams, and a query reads one table');
  if (pattern.window !== undefined) throw new NotExpressible('a window that emits is no pattern');
  const steps = pattern.steps.map(eventStep);
  const parts = steps.map((step, place) => partOf(step, place, table));
  const defined = parts.flatMap((part) => part.defined);
  const measures = steps.flatMap(({ name }) => [
    `FIRST(${sqlName(name)}.${sqlName(table.time)}) AS ${sqlName(`${name}_first`)}`,
    `LAST(${sqlName(name)}.${sqlName(table.time)}) AS ${sqlName(`${name}_last`)}`,
  ]);
  const withinMs = windowOf(pattern, steps);
  return [
    `SELECT ${sqlScalar(rule.id)} AS ${sqlName('rule')}, M.*`,
    `FROM ${sqlName(table.name)}`,
    'MATCH_RECOGNIZE (',
    `  PARTITION BY ${keyOf(rule).map(sqlName).join(', ')}`,
    `  ORDER BY ${sqlName(table.time)}`,
    `  MEASURES\n    ${measures.join(',\n    ')}`,
    '  ONE ROW PER MATCH',
    `  AFTER MATCH ${skipOf(pattern, steps)}`,
    `  PATTERN (${parts.map(({ text }) => text).join(' ')})${withinMs === undefined ? '' : ` WITHIN ${interval(withinMs)}`}`,
    `  DEFINE\n    ${defined.map(([name, condition]) => `${sqlName(name)} AS ${condition}`).join(',\n    ')}`,
    ') AS M',
  ].join('\n');
}

function eventStep(step: Step): EventStep {
  if (step.kind === 'group') throw new NotExpressible('groups of steps are not there in Flink SQL');
  return step;
}

function partOf(step: EventStep, place: number, table: SqlTable): Part {
  const { name, contiguity, optional, gapMs, until } = step;
  if (contiguity === 'followedByAny')
    throw new NotExpressible(`${name}: followedByAny, of which each event is a match`);
  if (contiguity === 'notNext' || contiguity === 'notFollowedBy')
    throw new NotExpressible(`${name}: an event that must not come`);
  if (optional === true || step.quantifier?.from === 0) throw new NotExpressible(`${name}: an optional step`);
  if (gapMs !== undefined) throw new NotExpressible(`${name}: a longest gap between two events`);
  if (until !== undefined) throw new NotExpressible(`${name}: until`);
  const condition = conditionOf(step, table);
  const passed = contiguity === 'followedBy' ? `${name}_passed` : null;
  const text = `${passed === null ? '' : `${sqlName(passed)}*? `}${sqlName(name)}${quantifierOf(step)}`;
  const own = [name, condition] as const;
  if (place === 0 || passed === null) return { text, defined: [own] };
  // What the step's condition says of the row at hand is asked of the row that is passed over.
  const other = conditionOf({ ...step, name: passed }, table, name);
  return { text, defined: [[passed, `((${other}) IS NOT TRUE)`], own] };
}

function conditionOf({ name, where, subtype }: EventStep, { type, time }: SqlTable, own = name): string {
  const parts: string[] = [];
  if (subtype !== undefined) {
    if (type === null) throw new NotExpressible('subtype has no column');
    parts.push(`(${sqlName(name)}.${sqlName(type)} = ${sqlScalar(subtype)})`);
  }
  if (where?.op === 'function') throw new NotExpressible(`${own}: a condition that is a function`);
  if (where !== undefined) {
    if (own !== name && looksAt(where, own)) throw new NotExpressible(`${own} looks at its own events`);
    parts.push(sqlExpr(where, name, { type, time }));
  }
  return parts.length === 0 ? 'TRUE' : parts.join(' AND ');
}

function looksAt(expr: Expr, step: string): boolean {
  if ((expr.op === 'aggregate' || expr.op === 'nth') && expr.step === step) return true;
  return Object.values(expr).some((part) =>
    Array.isArray(part)
      ? part.some((one) => typeof one === 'object' && looksAt(one as Expr, step))
      : typeof part === 'object' && part !== null && 'op' in part && looksAt(part as Expr, step),
  );
}

/** As few as there can be, unless the step is greedy. */
function quantifierOf({ name, quantifier, inside, greedy }: EventStep): string {
  if (quantifier === undefined) return '';
  const { from, to, gapMs } = quantifier;
  if (gapMs !== undefined) throw new NotExpressible(`${name}: a longest gap between two events`);
  if (inside !== 'consecutive' && to !== 1)
    throw new NotExpressible(`${name}: occurrences with other events between them; inside: consecutive can be written`);
  const count = to === from ? `{${from}}` : to === null ? `{${from},}` : `{${from},${to}}`;
  return to === from || greedy === true ? count : `${count}?`;
}

function keyOf({ keyBy }: Rule): readonly string[] {
  if (keyBy.form === 'one') return [keyBy.field];
  if (keyBy.form === 'pair') return keyBy.fields;
  throw new NotExpressible('the key is that of each of several fields, or of several streams');
}

function skipOf({ skip = { strategy: 'noSkip' } }: Pattern, steps: readonly EventStep[]): string {
  switch (skip.strategy) {
    case 'pastLastEvent':
      return 'SKIP PAST LAST ROW';
    case 'toNext':
      return 'SKIP TO NEXT ROW';
    case 'noSkip':
      // Without loops, a first event has one match at most: it is the same.
      if (steps.every(({ quantifier }) => quantifier === undefined || quantifier.from === quantifier.to))
        return 'SKIP TO NEXT ROW';
      throw new NotExpressible('skip: noSkip with a loop, of which each length is a match');
    default:
      if (steps[0]!.name === skip.step) throw new NotExpressible('a skip to where the match began');
      return `SKIP TO ${skip.strategy === 'toFirst' ? 'FIRST' : 'LAST'} ${sqlName(skip.step)}`;
  }
}

function windowOf({ withinMs, gapMs }: Pattern, steps: readonly EventStep[]): number | undefined {
  if (gapMs !== undefined) throw new NotExpressible('a longest gap before the last event');
  const all = [withinMs, ...steps.map((step) => step.withinMs)].filter((ms) => ms !== undefined && ms > 0) as number[];
  return all.length === 0 ? undefined : Math.min(...all);
}

function interval(ms: number): string {
  for (const [unit, size] of [
    ['DAY', 86_400_000],
    ['HOUR', 3_600_000],
    ['MINUTE', 60_000],
  ] as const) {
    if (ms % size === 0 && ms / size < 100) return `INTERVAL '${ms / size}' ${unit}`;
  }
  const seconds = String(Math.floor(ms / 1000));
  return `INTERVAL '${seconds}.${String(ms % 1000).padStart(3, '0')}' SECOND(${Math.max(2, seconds.length)}, 3)`;
}
