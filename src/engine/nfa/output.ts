import type { MatchNode } from '../buffer/match-node.js';
import type { CompiledPattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import type { Scalar } from '../expression/expression.js';

export interface StepEvents {
  readonly name: string;
  /** Oldest first; never empty. */
  readonly events: readonly EngineEvent[];
}

/** What came out of a window when it ended; times in ms. */
export interface WindowResult {
  readonly start: number;
  /** The first moment that is not in it. */
  readonly end: number;
  /** Times of its first and last event. */
  readonly first: number;
  readonly last: number;
  /** `WINDOW_FIELDS` and the aggregates by their names. */
  readonly fields: Readonly<Record<string, Scalar | null>>;
}

/** A complete match: the steps that have events, in the pattern's order. */
export interface Match {
  readonly steps: readonly StepEvents[];
  /** Where values are to be told (`telling.ts`): as of when the match was complete; `null`: missing. */
  readonly values?: readonly (Scalar | null)[];
  /** Likewise features by their names. */
  readonly features?: Readonly<Record<string, Scalar | null>>;
  /** Of a pattern that emits by itself: the window. Its events are the newest of those that counted. */
  readonly window?: WindowResult;
}

/** A partial match whose window ended. */
export interface Timeout extends Match {
  /** When the window ended, in ms of event time. */
  readonly time: number;
}

/** Why a skip strategy with `onMiss: error` ended the run of a pattern. */
export type SkipErrorReason = 'skip-target-missing' | 'skip-to-match-start';

export class SkipError extends Error {
  constructor(readonly reason: SkipErrorReason) {
    super(
      reason === 'skip-target-missing'
        ? 'The match has no event to skip to.'
        : 'The event to skip to is the first one of the match.',
    );
  }
}

/** Where the engine puts what it finds; the only thing that a step changes besides its own locals. */
export interface Output {
  onMatch(match: Match): void;
  /** Absent: time-outs are not wanted, and cost nothing. */
  onTimeout?(timeout: Timeout): void;
}

export function stepsOf(pattern: CompiledPattern, head: MatchNode | null): StepEvents[] {
  if (head !== null && head.previous === null) return [{ name: pattern.steps[head.step]!, events: [head.event] }];
  const byStep = new Array<EngineEvent[] | undefined>(pattern.steps.length);
  for (let node = head; node !== null; node = node.previous) {
    const events = byStep[node.step];
    if (events === undefined) byStep[node.step] = [node.event];
    else events.push(node.event);
  }
  const steps: StepEvents[] = [];
  for (let i = 0; i < byStep.length; i++) {
    const events = byStep[i];
    if (events === undefined) continue;
    if (events.length > 1) events.reverse();
    steps.push({ name: pattern.steps[i]!, events });
  }
  return steps;
}
