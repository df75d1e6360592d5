import type { CompiledPattern } from '../compiler/compile.js';
import type { EngineEvent } from '../event.js';
import type { Match } from '../nfa/output.js';
import { compact, compactionIsDue, type GraphLimits, idsAreUsedUp, renumber } from './compact.js';
import { EventPass } from './event-pass.js';
import { MatchSet } from './match-set.js';
import { type GraphState, horizonAt, idsMaxFor } from './node.js';

/**
 * The transition function of one pattern over one key by the shared graph (`node.ts`).
 *
 * Invariants
 * 1. The state given is never changed, and shares all it can with the one returned; an event that leaves everything as it is
 *    gives the very same state and allocates nothing.
 * 2. `undefined` stands for a key that has nothing under way.
 * 3. An event costs time in proportion to the edges of the states that have runs, and to the logarithm of the number of items;
 *    never to the number of runs. Compaction adds a constant to each item made.
 * 4. What is found, and which runs a limit drops, depends on the events alone: not on when the state was compacted, pruned,
 *    or saved and loaded.
 */
export interface GraphProcessLimits extends GraphLimits {
  /** Most matches that are written out for one event. */
  readonly matchesMax: number;
}

/** Where the graph puts what it finds. */
export interface GraphOutput {
  onMatch(match: Match): void;
  /** If present, it gets the matches of an event as a set instead, and none is written out but those it asks for. */
  onMatches?(matches: MatchSet): void;
  /** So many matches of one event were not written out. */
  onMatchesDropped?(matches: number): void;
  /** More was held than allowed: the oldest runs were dropped, and with them so many items. */
  onRunsDropped?(items: number): void;
}

const shared = new EventPass();

/**
 * Processes one event. Times and `seq` must not fall. The matches that it completes come in the order of `MatchSet`. The pattern
 * must be one of `fitsGraph`, which is not checked again.
 */
export function processGraph(
  pattern: CompiledPattern,
  given: GraphState | undefined,
  event: EngineEvent,
  output: GraphOutput,
  limits: GraphProcessLimits,
): GraphState | undefined {
  pattern.mark.next();
  return stepGraph(pattern, given, event, output, limits);
}

/** `processGraph` where the caller has moved the pattern's `mark` on: one of several patterns that see the same event. */
export function stepGraph(
  pattern: CompiledPattern,
  given: GraphState | undefined,
  event: EngineEvent,
  output: GraphOutput,
  limits: GraphProcessLimits,
): GraphState | undefined {
  const pass = shared;
  pass.begin(event, given === undefined ? 0 : given.nextId);
  const alive = given === undefined ? UNCHANGED : passRuns(pattern, given, event, pass);
  const begun = pass.start(pattern.start);
  if (!begun && alive === UNCHANGED) {
    pass.clear();
    return given;
  }
  // Where nothing was left alive, it is as if nothing had ever been.
  const { held, added } = given === undefined || alive === 0 ? FRESH : given;
  const changed = pass.result(held, added, given?.idsMax ?? idsMaxFor(0));
  const { completed } = pass;
  pass.clear();
  const after = changed && tidy(pattern, changed, event.time, output, limits);
  if (completed.length > 0)
    emit(new MatchSet(pattern.steps, completed, horizonAt(pattern, event.time), limits.matchesMax), output);
  return after;
}

const UNCHANGED = -1;
const FRESH = { held: 0, added: 0 };

/** How many sets were alive; `UNCHANGED`: all, and the event changes none. */
function passRuns(pattern: CompiledPattern, given: GraphState, event: EngineEvent, pass: EventPass): number {
  const { states, sets } = given;
  const { windowMs } = pattern;
  let alive = 0;
  let isUnchanged = true;
  for (let i = 0; i < sets.length; i++) {
    const set = sets[i]!;
    if (windowMs > 0 && event.time >= set.item.newest.time + windowMs) {
      isUnchanged = false;
      continue;
    }
    alive++;
    if (!pass.pass(pattern.states[states[i]!]!, set)) isUnchanged = false;
  }
  return isUnchanged ? UNCHANGED : alive;
}

function tidy(
  pattern: CompiledPattern,
  state: GraphState,
  time: number,
  output: GraphOutput,
  limits: GraphLimits,
): GraphState | undefined {
  if (compactionIsDue(state, limits)) return compact(pattern, state, time, limits, (n) => output.onRunsDropped?.(n));
  return idsAreUsedUp(state) ? renumber(pattern, state, time) : state;
}

function emit(matches: MatchSet, output: GraphOutput): void {
  if (output.onMatches !== undefined) {
    output.onMatches(matches);
    return;
  }
  const dropped = matches.writeTo(output);
  if (dropped > 0) output.onMatchesDropped?.(dropped);
}
