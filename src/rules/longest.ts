import type { Rule } from './rule.js';

/** From the first event of a match to when it is complete, at most. */
export function longestMs(pattern: Rule['pattern']): number {
  const form = pattern.window?.form;
  if (form !== undefined) return form.kind === 'session' ? (form.maxMs ?? Number.POSITIVE_INFINITY) : form.sizeMs;
  const [first, ...others] = pattern.steps;
  const isOneEvent = others.length === 0 && first?.kind === 'event' && first.quantifier === undefined;
  return isOneEvent ? 0 : (pattern.withinMs ?? Number.POSITIVE_INFINITY);
}
