import { isScalar, isSeq } from 'yaml';
import type { StepInfo } from '../condition/scope.js';
import type { Accuses } from '../rule.js';
import { suggest } from '../source/nearest.js';
import { type Section, spanOf } from './yaml-section.js';

/**
 * `alert.accuses` of a rule: which events of a match are taken to be fraud when a back-test is measured. A step that must be
 * absent takes no event, so it cannot be accused. `undefined`: the rule does not say, or says it wrongly, which is told.
 */
export function readAccuses(alert: Section | undefined, steps: readonly StepInfo[]): Accuses | undefined {
  const entry = alert?.entry('accuses');
  if (alert === undefined || entry === undefined) return undefined;
  if (isScalar(entry.node) && (entry.node.value === 'last' || entry.node.value === 'all')) return entry.node.value;
  const items = isSeq(entry.node) ? entry.node.items : [entry.node];
  const names: string[] = [];
  for (const item of items) {
    if (!isScalar(item) || typeof item.value !== 'string') {
      alert.wrong(entry, 'last, all, or a list of steps');
      return undefined;
    }
    names.push(item.value);
    const step = steps.find((info) => info.name === item.value);
    if (step === undefined) {
      const hint = suggest(
        item.value,
        steps.flatMap((info) => (info.negated ? [] : info.name)),
      );
      alert.source.error('unknown-step', spanOf(item), `There is no step ${item.value} to accuse.`, hint);
    } else if (step.negated) {
      const hint = 'Name a step that has events.';
      alert.source.error(
        'unknown-step',
        spanOf(item),
        `${item.value} must be absent: it has no event to accuse.`,
        hint,
      );
    }
  }
  if (names.length === 0) alert.wrong(entry, 'last, all, or a list of steps');
  return names;
}
