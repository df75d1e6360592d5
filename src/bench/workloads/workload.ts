import type { Rule } from '../../rules/index.js';
import type { FloorFactory } from '../floors/floor.js';

/** A question that is put to the engine as rules, and to a floor as code. */
export interface Workload {
  readonly name: string;
  /** What it finds, for people. */
  readonly title: string;
  /** Streams it is run on when no other is asked for. */
  readonly streams: readonly string[];
  /** Number of matches by stream, where it is known from engines other than ours. */
  readonly expected: Readonly<Record<string, number>>;
  readonly floor: FloorFactory;
  /** Matches are so many that reading them is a cost of its own: measured once more without. */
  readonly alsoUnread?: boolean;
  rules(): Promise<readonly Rule[]>;
}
