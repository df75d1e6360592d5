import type { Step } from '../../engine/index.js';
import type { Section } from './yaml-section.js';

/** Whether partial matches that end one step short are told. */
export function readNearMisses(section: Section, steps: readonly Step[]): boolean {
  if (section.flag('nearMisses') !== true) return false;
  const last = steps.at(-1);
  if (last?.contiguity !== 'followedByAny' && last?.inside !== 'combinations') return true;
  const message = 'Of a last step that takes any fitting event, a partial match goes on after it has matched.';
  const hint = 'Make the last step followedBy, or leave nearMisses out.';
  section.source.error('near-misses-of-any', section.entry('nearMisses')!.span, message, hint);
  return false;
}
