import type { CompiledPattern } from '../compiler/compile.js';
import { type CompiledState, type CompiledTransition, IGNORE, TAKE } from '../compiler/compiled-state.js';
import { type Literal, negate, sameLiteral } from '../compiler/predicate.js';

/**
 * Whether the graph gives the matches of the pattern: no condition looks at the events of a run, no skip strategy compares
 * runs, and the only way for a run to end by time is the window of the whole match. It does not report time-outs.
 */
export function fitsGraph(pattern: CompiledPattern): boolean {
  const { looksBack, skip, hasGaps, hasPending, states, start } = pattern;
  if (looksBack || skip.strategy !== 'noSkip' || hasGaps || hasPending) return false;
  return !states.some((state) => state.transitions.some((t) => t.target === start));
}

/**
 * Whether the graph is also worth its cost: runs can multiply, because there is a loop, or because an event may be taken and
 * passed over at once. A sequence in which each event decides what becomes of a run is better served by plain runs.
 */
export function isGraphPattern(pattern: CompiledPattern): boolean {
  return fitsGraph(pattern) && pattern.states.some((state) => !state.isStop && (isInLoop(state) || branches(state)));
}

/** The state can be reached again from itself with an event taken. */
function isInLoop(state: CompiledState): boolean {
  const seen = new Set<CompiledState>();
  for (const t of state.transitions) if (t.action === TAKE) seen.add(t.target);
  for (const reached of seen) {
    if (reached === state) return true;
    for (const t of reached.transitions) seen.add(t.target);
  }
  return false;
}

/** May take an event and pass over it as well. */
function branches({ isStart, transitions }: CompiledState): boolean {
  if (isStart) return false;
  const takes = transitions.filter((t) => t.action === TAKE);
  return transitions.some((t) => t.action === IGNORE && takes.some((take) => mayAgree(t, take)));
}

/** Whether both may apply to the same event, as far as their conditions tell. */
function mayAgree(a: CompiledTransition, b: CompiledTransition): boolean {
  const others = partsOf(b.literal).map(negate);
  return !partsOf(a.literal).some((part) => others.some((other) => sameLiteral(part, other)));
}

/** Literals all of which hold where the given one does, itself among them. */
function partsOf(literal: Literal | null): readonly Literal[] {
  if (literal === null) return [];
  const { junction } = literal.predicate;
  return !literal.negated && junction?.op === 'all' ? [literal, ...junction.parts] : [literal];
}
