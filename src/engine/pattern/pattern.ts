import type { Condition } from '../expression/expression.js';
import type { PatternWindow } from './window.js';

/**
 * A pattern as data. The meaning of every part is Apache Flink CEP's.
 *
 * All durations are milliseconds of event time. A window of `w` ms is exceeded when the difference is `w` or more;
 * a window of 0 is no window.
 */

export type Contiguity = 'start' | 'next' | 'followedBy' | 'followedByAny' | 'notNext' | 'notFollowedBy';

/** How the occurrences of one quantified step follow each other. */
export type InsideContiguity = 'relaxed' | 'consecutive' | 'combinations';

/**
 * How often a step occurs: `times(n)` is `{ from: n, to: n }`, `oneOrMore` is `{ from: 1, to: null }`,
 * `timesOrMore(n)` is `{ from: n, to: null }`. `from: 0` makes the step optional as well.
 */
export interface Quantifier {
  readonly from: number;
  /** Largest number of occurrences; `null`: without bound. */
  readonly to: number | null;
  /** Longest wait for an occurrence (Flink's `times(n, Duration)`). */
  readonly gapMs?: number;
}

interface StepBase {
  /** How the step follows the one before; `start` for the first step of a pattern or group, and only there. */
  readonly contiguity: Contiguity;
  readonly quantifier?: Quantifier;
  readonly inside?: InsideContiguity;
  readonly greedy?: boolean;
  /** Stops a loop: the step takes no event any more once one fits this. */
  readonly until?: Condition;
  readonly optional?: boolean;
  /** Window of the whole match, given on this step; of several the smallest counts. */
  readonly withinMs?: number;
  /** Longest time from the event before to this step's event (`PREVIOUS_AND_CURRENT`). */
  readonly gapMs?: number;
}

export interface EventStep extends StepBase {
  readonly kind: 'event';
  readonly name: string;
  /** Absent: every event fits. */
  readonly where?: Condition;
  /** Only events of this kind, or of one derived from it. */
  readonly subtype?: string;
}

export interface GroupStep extends StepBase {
  readonly kind: 'group';
  readonly steps: readonly Step[];
}

export type Step = EventStep | GroupStep;

export type Skip =
  | { readonly strategy: 'noSkip' }
  | { readonly strategy: 'toNext' }
  | { readonly strategy: 'pastLastEvent' }
  | {
      readonly strategy: 'toFirst' | 'toLast';
      readonly step: string;
      /** `error`: a match without an event to skip to, or that would skip to its own start, ends in an error. */
      readonly onMiss?: 'ignore' | 'error';
    };

export interface Pattern {
  readonly steps: readonly Step[];
  /** Window of the whole match. */
  readonly withinMs?: number;
  /** Longest gap before the last step (a `PREVIOUS_AND_CURRENT` window given for the whole pattern). */
  readonly gapMs?: number;
  /** Absent: `noSkip`. */
  readonly skip?: Skip;
  /** Partial matches that end one step short of a match are told (`NearMiss`). Absent: they are not, and cost nothing. */
  readonly nearMisses?: boolean;
  /** Makes it a pattern of one step that emits when windows end. */
  readonly window?: PatternWindow;
}
