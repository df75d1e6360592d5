import type { EngineEvent } from '../event.js';

/**
 * The shared match buffer: each event that a run has taken is a node that points to the one before. Runs that branch share
 * their common past, and a node that no run points to any more is garbage. Nodes never change.
 */
export interface MatchNode {
  readonly event: EngineEvent;
  /** Index of the step in the pattern's `steps`. */
  readonly step: number;
  readonly previous: MatchNode | null;
}

/** Events of one step, oldest first. */
export function eventsOfStep(head: MatchNode | null, step: number): EngineEvent[] {
  const events: EngineEvent[] = [];
  for (let node = head; node !== null; node = node.previous) if (node.step === step) events.push(node.event);
  return events.reverse();
}
