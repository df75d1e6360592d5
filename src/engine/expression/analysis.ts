import type { Condition, Expr, Feature } from './expression.js';

/** Whether a condition depends on events that the run has matched, and not on the event under test alone. */
export function looksBack(condition: Condition): boolean {
  return condition.op === 'function' || someExpr(condition, (e) => e.op === 'aggregate' || e.op === 'nth');
}

/** The features of the key that a condition reads. */
export function featuresOf(condition: Condition): readonly Feature[] {
  if (condition.op === 'function') return [];
  return condition.op === 'feature' ? [condition.feature] : partsOf(condition).flatMap(featuresOf);
}

/** Whether the expression or one inside it fits. The expression inside a feature's `where` is not looked at. */
export function someExpr(expr: Expr, fits: (expr: Expr) => boolean): boolean {
  return fits(expr) || partsOf(expr).some((part) => someExpr(part, fits));
}

/** The expressions directly inside an expression. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case 'compare':
    case 'arith':
      return [expr.left, expr.right];
    case 'in':
      return [expr.left];
    case 'inList':
      return [expr.value];
    case 'lookup':
      return [expr.key];
    case 'and':
    case 'or':
    case 'call':
      return expr.args;
    case 'not':
    case 'present':
      return [expr.arg];
    case 'if':
      return [expr.test, expr.whenTrue, expr.whenFalse];
    default:
      return [];
  }
}

/** Whether a condition reads the value of the key. */
export const readsKey = (condition: Condition): boolean =>
  condition.op !== 'function' && someExpr(condition, (e) => e.op === 'meta' && e.name === 'key');

/** Whether a condition reads a feature of the key. */
export const readsFeature = (condition: Condition): boolean => featuresOf(condition).length > 0;
