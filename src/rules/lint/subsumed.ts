import { type Condition, canonicalJson, type Expr, type Pattern, type Step } from '../../engine/index.js';
import type { Diagnostic } from '../diagnostic.js';
import { Logic } from '../logic/constraints.js';
import { atId } from '../read/at-id.js';
import type { LoadedRules } from '../read/load-rules.js';
import type { Rule } from '../rule.js';

const SEVERITIES = ['low', 'medium', 'high', 'critical'];

/**
 * Warns of rules whose matches another rule finds as well: of the same key and shape, no longer window, and conditions that imply the
 * other's. A rule that is more severe than the other is meant so. What is not found may still be so.
 */
export function lintOverlaps({ rules, texts }: Pick<LoadedRules, 'rules' | 'texts'>): readonly Diagnostic[] {
  const running = rules.filter(({ status }) => status !== 'retired');
  const logic = new Logic(() => null);
  return running.flatMap((narrow, i) => {
    const wide = running.find(
      (other, j) => other !== narrow && covers(other, narrow, logic) && (j < i || !covers(narrow, other, logic)),
    );
    return wide === undefined ? [] : [subsumed(narrow, wide, texts.get(narrow.source) ?? '')];
  });
}

function subsumed(narrow: Rule, wide: Rule, text: string): Diagnostic {
  const message = `What ${narrow.id} finds, ${wide.id} may find as well: its conditions are implied.`;
  const hint =
    'Keep one of them, make their conditions exclude each other, or give the narrower one a higher severity.';
  return { ...atId(narrow, text), severity: 'warning', code: 'subsumed', message, hint };
}

/** Whether each match of the narrow rule is one of the wide rule, skips apart. */
function covers(wide: Rule, narrow: Rule, logic: Logic): boolean {
  if (wide.key !== narrow.key || String(wide.streams) !== String(narrow.streams)) return false;
  if (wide.pattern.window !== undefined || narrow.pattern.window !== undefined) return false;
  if (SEVERITIES.indexOf(narrow.alert.severity) > SEVERITIES.indexOf(wide.alert.severity)) return false;
  const names = new Map<string, string>();
  return windowFits(wide.pattern, narrow.pattern) && stepsCover(wide.pattern.steps, narrow.pattern.steps, names, logic);
}

function windowFits(wide: Pattern, narrow: Pattern): boolean {
  const within = ({ withinMs }: Pattern): number => withinMs || Number.POSITIVE_INFINITY;
  const gap = ({ gapMs }: Pattern): number => gapMs || Number.POSITIVE_INFINITY;
  return within(narrow) <= within(wide) && gap(narrow) <= gap(wide);
}

/** `names`: what the steps of the wide pattern are called in the narrow one; filled on the way. */
function stepsCover(wide: readonly Step[], narrow: readonly Step[], names: Map<string, string>, logic: Logic): boolean {
  return wide.length === narrow.length && wide.every((step, i) => stepCovers(step, narrow[i]!, names, logic));
}

function stepCovers(wide: Step, narrow: Step, names: Map<string, string>, logic: Logic): boolean {
  if (shapeOf(wide) !== shapeOf(narrow)) return false;
  if (wide.kind === 'group' || narrow.kind === 'group') {
    return wide.kind === 'group' && narrow.kind === 'group' && stepsCover(wide.steps, narrow.steps, names, logic);
  }
  names.set(wide.name, narrow.name);
  const until = [wide.until, narrow.until].map((condition) => exprOf(condition, names));
  if (until.includes(null) || canonicalJson(until[0] ?? 0) !== canonicalJson(until[1] ?? 0)) return false;
  const [ofWide, ofNarrow] = [exprOf(wide.where, names), exprOf(narrow.where, new Map())];
  if (ofWide === null || ofNarrow === null) return false;
  const negated = wide.contiguity === 'notNext' || wide.contiguity === 'notFollowedBy';
  // What the wide one forbids, the narrow one must forbid as well.
  const [premise, conclusion] = negated ? [wide, narrow] : [narrow, wide];
  if (conclusion.subtype !== undefined && conclusion.subtype !== premise.subtype) return false;
  const always: Expr = { op: 'const', value: true };
  const [first, second] = negated ? [ofWide, ofNarrow] : [ofNarrow, ofWide];
  return logic.implies(first ?? always, second ?? always);
}

/** All of a step but its name and conditions. */
function shapeOf(step: Step): string {
  const { contiguity, quantifier, inside, greedy, optional, withinMs, gapMs, kind } = step;
  return canonicalJson(
    JSON.parse(JSON.stringify({ contiguity, quantifier, inside, greedy, optional, withinMs, gapMs, kind })),
  );
}

/** With the steps under their names in the other pattern; `undefined`: none; `null`: a function, of which nothing is known. */
function exprOf(condition: Condition | undefined, names: ReadonlyMap<string, string>): Expr | null | undefined {
  if (condition === undefined) return undefined;
  if (condition.op === 'function') return null;
  return JSON.parse(JSON.stringify(condition), (key, value) => (key === 'step' ? (names.get(value) ?? value) : value));
}
