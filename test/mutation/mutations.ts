/** A way to break the engine: one text in one file, replaced by another. */
export interface Mutation {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly snippet: string;
  readonly replacement: string;
}

const mutation = (name: string, file: string, snippet: string, replacement: string): Mutation => ({
  name,
  file: `src/engine/${file}`,
  snippet,
  replacement,
});

const TIME: readonly Mutation[] = [
  mutation(
    'a window is exceeded only when the difference is greater than it',
    'nfa/step.ts',
    'return pattern.windowMs > 0 && time >= windowEnd ? windowEnd : null;',
    'return pattern.windowMs > 0 && time > windowEnd ? windowEnd : null;',
  ),
  mutation(
    'a window is exceeded only when greater, in the shared graph',
    'graph/process.ts',
    'event.time >= set.item.newest.time + windowMs',
    'event.time > set.item.newest.time + windowMs',
  ),
  mutation(
    'a gap is measured from the first event',
    'nfa/step.ts',
    'const gapEnd = run.head!.event.time + state.gapMs;',
    'const gapEnd = run.first!.time + state.gapMs;',
  ),
  mutation(
    'the gap of a quantifier bounds the last occurrence too',
    'compiler/build.ts',
    "else if (this.quantifierGap === 'flink' && state.name !== stepName(step)) state.gapMs = step.quantifier.gapMs ?? 0;",
    "else if (this.quantifierGap === 'flink') state.gapMs = step.quantifier.gapMs ?? 0;",
  ),
];

const TRANSITIONS: readonly Mutation[] = [
  mutation(
    'relaxed also passes over an event that fits',
    'compiler/build.ts',
    "const guard = strategy === 'skipTillAny' ? TRUE : not(fits);",
    'const guard = fits === TRUE ? not(fits) : TRUE;',
  ),
  mutation(
    'until is ignored in the guards of a loop',
    'compiler/guard.ts',
    'return until === null ? guard : and(not(until), guard);',
    'return guard;',
  ),
  mutation(
    'what follows a greedy step is not narrowed',
    'compiler/build.ts',
    'for (const t of sink.transitions) t.guard = and(t.guard, not(take));',
    'void [sink, take];',
  ),
  mutation(
    'the repetitions of a group follow each other as the group follows what is before it',
    'compiler/build.ts',
    'return this.firstOfLoop.get(group) ?? true;',
    'return this.firstOfLoop.has(group) || true;',
  ),
  mutation(
    'a notFollowedBy before an optional step does not hold for the step after that',
    'compiler/build.ts',
    'else if (!isOptional(step)) break;',
    'else break;',
  ),
  mutation('a stop state does not discard the run', 'nfa/step.ts', 'if (stopped) return completed;', 'void stopped;'),
  mutation(
    'a stop state does not discard the runs of the shared graph',
    'graph/event-pass.ts',
    'const stopped = this.isStopped();',
    'const stopped = false;',
  ),
  mutation(
    'proceeds are walked first in, first out',
    'nfa/step.ts',
    'state = stack?.pop();',
    'state = stack?.shift();',
  ),
  mutation(
    'a condition on the way to the end sees the event under test',
    'nfa/step.ts',
    'const final = finalAfterProceed(edge.target, event, run.head);',
    'const final = finalAfterProceed(edge.target, event, head);',
  ),
];

const SKIPPING: readonly Mutation[] = [
  mutation(
    'the heap compares by at or before',
    'nfa/run-heap.ts',
    'return b.first === null || a.first.seq < b.first.seq;',
    'return b.first === null || a.first.seq <= b.first.seq;',
  ),
  mutation(
    'skip past the last event keeps runs that began at it',
    'nfa/skip.ts',
    'return (run) => run.first !== null && run.first.seq <= end;',
    'return (run) => run.first !== null && run.first.seq < end;',
  ),
  mutation(
    'skip to next keeps the other runs that began with the match',
    'nfa/skip.ts',
    'return (run) => run.first !== null && run.first.seq <= from;',
    'return (run) => run.first !== null && run.first.seq < from;',
  ),
  mutation('skip to last skips to the first', 'nfa/skip.ts', "if (strategy === 'toLast') break;", 'void strategy;'),
  mutation(
    'a match is not held back by earlier runs',
    'nfa/skip.ts',
    'if (skips && partial.length > 0 && beganBefore(partial[0]!, completed[0]!)) return;',
    'void beganBefore;',
  ),
];

const CONDITIONS: readonly Mutation[] = [
  mutation(
    'a missing value differs from every other',
    'expression/runtime.ts',
    'ne: (a: unknown, b: unknown): boolean => present(a) && present(b) && a !== b,',
    'ne: (a: unknown, b: unknown): boolean => a !== b,',
  ),
  mutation(
    'last(step) is the first event',
    'expression/runtime.ts',
    '  ...aggregates,\n};',
    '  ...aggregates,\n  last: aggregates.first,\n};',
  ),
  mutation(
    'a strict bound holds for the bound itself',
    'ruleset/event-index.ts',
    'if (bound.strict && values[i] === value) break;',
    'void bound.strict;',
  ),
  mutation(
    'only the first value of an equality is looked up',
    'ruleset/event-index.ts',
    'for (const value of found.values) table.child(value).add(left, waiting);',
    'for (const value of found.values.slice(0, 1)) table.child(value).add(left, waiting);',
  ),
];

const STATE: readonly Mutation[] = [
  mutation(
    'the codec forgets matches that are held back',
    'codec/key-state-codec.ts',
    'encodeRuns(out, state.completed, table);',
    'encodeRuns(out, [], table);',
  ),
  mutation(
    'the codec takes the newest event of a run for its first',
    'codec/key-state-codec.ts',
    'while (node.previous !== null) node = node.previous;',
    'void node.previous;',
  ),
  mutation(
    'a step changes the state that it is given',
    'nfa/step.ts',
    'partial ??= before.slice(0, i);',
    'partial ??= (before as Run[]).splice(0, i);',
  ),
  mutation(
    'held matches are not looked at when their window ends',
    'ruleset/slot-state.ts',
    'if (state.completed.length > 0 || pattern.hasPending) mask = HELD;',
    'if (state.completed.length > 0) mask = HELD;',
  ),
];

export const MUTATIONS: readonly Mutation[] = [...TIME, ...TRANSITIONS, ...SKIPPING, ...CONDITIONS, ...STATE];

/** How often the snippet occurs in the text. */
export const occurrences = (text: string, { snippet }: Mutation): number => text.split(snippet).length - 1;
