import type { Row } from '../stream/generate.js';

/**
 * The same question answered by hand: the least that JavaScript has to do for it. A floor gets the rows in the order that
 * the engine gets them, and knows the workload; it stands for the limit, not for something that users could run.
 */
export interface Floor {
  readonly matches: number;
  take(row: Row): void;
  /** Ends the stream. */
  finish(): void;
}

export type FloorFactory = () => Floor;

/** What floors need of an account, made when it is first seen. */
export function stateOf<T>(states: Map<string, T>, account: string, make: () => T): T {
  const known = states.get(account);
  if (known !== undefined) return known;
  const made = make();
  states.set(account, made);
  return made;
}
