import type { Pattern, Step } from './pattern.js';
import type { PatternPath } from './problem.js';

/** Where in the pattern data the step of this name stands; the whole list when there is none. */
export function stepPath(pattern: Pattern, name: string): PatternPath {
  return pathIn(pattern.steps, name, ['steps']) ?? ['steps'];
}

function pathIn(steps: readonly Step[], name: string, path: PatternPath): PatternPath | null {
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'event' && step.name === name) return [...path, i];
    const inside = step.kind === 'group' ? pathIn(step.steps, name, [...path, i, 'steps']) : null;
    if (inside !== null) return inside;
  }
  return null;
}
