import type { Run } from '../buffer/run.js';
import type { CompiledPattern } from '../compiler/compile.js';
import { type Output, SkipError, stepsOf } from './output.js';
import { beganBefore, heapPoll, heapRemove } from './run-heap.js';

/**
 * Emits completed matches and drops, by the after-match skip strategy, the runs that a match makes void.
 *
 * Without a strategy every match is emitted at once. With one, a match waits while an earlier run is alive: that run could
 * still complete, and its match would come first.
 */
export function emitMatches(pattern: CompiledPattern, partial: Run[], completed: Run[], output: Output): void {
  const skips = pattern.skip.strategy !== 'noSkip';
  while (completed.length > 0) {
    if (skips && partial.length > 0 && beganBefore(partial[0]!, completed[0]!)) return;
    const match = heapPoll(completed)!;
    if (skips) {
      const dropped = droppedBy(pattern, match);
      if (dropped !== null) {
        heapRemove(partial, dropped);
        heapRemove(completed, dropped);
      }
    }
    output.onMatch({ steps: stepsOf(pattern, match.head) });
  }
}

/** Which runs a match makes void; `null`: none. Throws `SkipError` when the strategy demands it. */
function droppedBy(pattern: CompiledPattern, match: Run): ((run: Run) => boolean) | null {
  const skip = pattern.skip;
  const from = match.first!.seq;
  switch (skip.strategy) {
    case 'noSkip':
      return null;
    case 'toNext':
      return (run) => run.first !== null && run.first.seq <= from;
    case 'pastLastEvent': {
      const end = match.head!.event.seq;
      return (run) => run.first !== null && run.first.seq <= end;
    }
    case 'toFirst':
    case 'toLast': {
      const target = skipTarget(pattern, match, skip.strategy);
      if (skip.onMiss === 'error' && target === null) throw new SkipError('skip-target-missing');
      if (skip.onMiss === 'error' && target === from) throw new SkipError('skip-to-match-start');
      return target === null ? null : (run) => run.first !== null && run.first.seq < target;
    }
  }
}

/** `seq` of the first or last event of the step that is skipped to. */
function skipTarget(pattern: CompiledPattern, match: Run, strategy: 'toFirst' | 'toLast'): number | null {
  let target: number | null = null;
  for (let node = match.head; node !== null; node = node.previous) {
    if (node.step !== pattern.skipStep) continue;
    target = node.event.seq;
    if (strategy === 'toLast') break;
  }
  return target;
}
