import type { Run } from '../buffer/run.js';
import type { CompiledPattern } from '../compiler/compile.js';
import { type CompiledState, PROCEED, TAKE } from '../compiler/compiled-state.js';

/** What a run waits for: steps whose events it would take, and those whose events would end it. */
export interface Awaited {
  readonly takes: readonly string[];
  readonly stops: readonly string[];
  /** It waits for nothing but the end of its window, without an event of `stops`. */
  readonly isPending: boolean;
}

/** What a run in this state waits for, whatever events it has. The start run waits for what can begin. */
export function awaitedBy(pattern: CompiledPattern, { state }: Pick<Run, 'state'>): Awaited {
  const takes = new Set<string>();
  const stops = new Set<string>();
  const seen = new Set<CompiledState>();
  const first = pattern.states[state]!;
  const visit = (from: CompiledState): void => {
    if (seen.has(from)) return;
    seen.add(from);
    for (const { action, target } of from.transitions) {
      if (action === TAKE && from.step >= 0 && !from.isStop) takes.add(pattern.steps[from.step]!);
      else if (action === PROCEED && target.isStop) stops.add(stepOf(target.name));
      else if (action === PROCEED) visit(target);
    }
  };
  visit(first);
  return { takes: [...takes], stops: [...stops], isPending: first.isPending };
}

/** States made for one step are told apart by a number behind its name. */
const stepOf = (name: string): string => name.split(':')[0]!;
