import type { StepEvents } from '../../src/engine/index.js';
import type { Taken } from './partial.js';

const textOf = new WeakMap<readonly Taken[], string>();

/** `A:e0,e2 B:e3`. */
export function takenText(taken: readonly Taken[]): string {
  const text = textOf.get(taken) ?? writeTaken(taken);
  textOf.set(taken, text);
  return text;
}

function writeTaken(taken: readonly Taken[]): string {
  const steps = new Map<string, string[]>();
  for (const { step, event } of taken) steps.set(step, [...(steps.get(step) ?? []), String(event.fields.id)]);
  return idsText([...steps]);
}

export const stepsText = (steps: readonly StepEvents[]): string =>
  idsText(steps.map((s) => [s.name, s.events.map((event) => String(event.fields.id))]));

export function idsText(steps: readonly (readonly [name: string, ids: readonly string[]])[]): string {
  return steps
    .map(([name, ids]) => `${name}:${ids.join(',')}`)
    .sort()
    .join(' ');
}
