import type { Expr } from '../../engine/index.js';
import type { Reporter } from '../source/source-file.js';
import { type CelNode, parseCel } from './cel.js';
import { Checker } from './check-condition.js';
import type { Scope } from './scope.js';
import { say, type Typed } from './typed.js';

/**
 * What an alert can speak of: all steps of the pattern, the features, and (bare) the fields of the event that completed the match,
 * of which `schema` is known.
 */
export type ValueScope = Omit<Scope, 'self'>;

/** The expressions of a rule whose values its alerts show, each once. */
export class RuleValues {
  readonly exprs: Expr[] = [];
  private readonly known = new Map<string, number>();

  /** Place of the expression. */
  add(expr: Expr): number {
    const text = JSON.stringify(expr);
    const place = this.known.get(text) ?? this.exprs.push(expr) - 1;
    this.known.set(text, place);
    return place;
  }
}

/** The score of an alert; `null`: wrong, and reported. */
export function checkScore(text: string, scope: ValueScope, reporter: Reporter): Expr | null {
  const node = parseCel(text, reporter);
  const value = node === null ? null : checkValue(node, scope, reporter);
  if (value === null || value.type === 'number' || value.type === 'unknown') return value?.expr ?? null;
  const hint = 'Write a number from 0 to 100, or an expression that is one.';
  reporter.error(
    'type-mismatch',
    { start: 0, end: text.length },
    `A score is a number, and this is ${say(value.type)}.`,
    hint,
  );
  return null;
}

/** An expression with a single value; `null`: wrong, and reported. */
export function checkValue(node: CelNode, scope: ValueScope, reporter: Reporter): Typed | null {
  // Behind all steps: each of them has its events.
  const value = new Checker({ ...scope, self: scope.steps.length }, reporter).value(node);
  if (value === null || value.type !== 'other') return value;
  reporter.error('type-mismatch', node.range, `This is ${say(value.type)}, and has no single value.`);
  return null;
}
