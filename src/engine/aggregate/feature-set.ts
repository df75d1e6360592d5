import { canonicalJson } from '../canonical-json.js';
import type { EngineEvent } from '../event.js';
import { compileEventTest, type EventTest } from '../expression/event-test.js';
import type { Expr } from '../expression/expression.js';
import type { FeatureCell } from './feature-table.js';
import { addEvent, isAlive, readWindow, WindowState } from './window.js';
import { type Window, windowOf } from './window-layout.js';

/** Features compiled together: those over the same events and the same time share a window. */
export interface FeatureSet {
  /** In order of their ids, so that equal features make equal sets. */
  readonly windows: readonly Window[];
  /** What each window holds; bytes name a window by its place here. */
  readonly windowIds: readonly string[];
  /** Longest window in ms: how long after its newest event a state can matter; 0 without features. */
  readonly horizonMs: number;
}

/**
 * What the windows of one key hold: the state of the set's only window, or one place for each window. It never changes;
 * `undefined` stands for a key of which nothing is held.
 */
export type FeatureState = WindowState | readonly (WindowState | undefined)[];

/** `testOf` makes a function of a `where`: a host that has compiled the same condition already can give its own. */
export function compileFeatures(
  cells: readonly FeatureCell[],
  testOf: (where: Expr) => EventTest = compileEventTest,
): FeatureSet {
  const groups = new Map<string, FeatureCell[]>();
  for (const cell of cells) {
    const { where, overMs } = cell.feature;
    const key = canonicalJson({ where, overMs });
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const windows = [...groups].map(([events, group]) => {
    const { where } = group[0]!.feature;
    return windowOf(events, group, where === undefined ? null : testOf(where));
  });
  windows.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    windows,
    windowIds: windows.map((window) => window.id),
    horizonMs: windows.reduce((longest, window) => Math.max(longest, window.overMs), 0),
  };
}

/** Whether some window counts the event. */
export function takesAny(set: FeatureSet, event: EngineEvent): boolean {
  const { windows } = set;
  for (let i = 0; i < windows.length; i++) if (takes(windows[i]!, event)) return true;
  return false;
}

/** Whether the window counts the event. */
export const takes = (window: Window, event: EngineEvent): boolean =>
  window.test === null || window.test(event, event.fields);

/**
 * Adds the event to the windows that count it, and drops from those what is older than they allow. The state given stays as it
 * is, and is the result where no window counts the event. Times of one key must not fall.
 */
export function updateFeatures(
  set: FeatureSet,
  state: FeatureState | undefined,
  event: EngineEvent,
): FeatureState | undefined {
  const { windows } = set;
  if (windows.length === 1) {
    const window = windows[0]!;
    return takes(window, event) ? addEvent(window, windowState(state, 0), event) : state;
  }
  let changed: (WindowState | undefined)[] | null = null;
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if (!takes(window, event)) continue;
    changed ??= windows.map((_, place) => windowState(state, place));
    changed[i] = addEvent(window, changed[i], event);
  }
  return changed ?? state;
}

/** Writes the value of every cell as of `time`, which must not be before the newest event. `undefined`: of a key without events. */
export function readFeatures(set: FeatureSet, state: FeatureState | undefined, time: number): void {
  const { windows } = set;
  for (let i = 0; i < windows.length; i++) readWindow(windows[i]!, windowState(state, i), time);
}

/** The state without windows of which no event counts at `time` or later; `undefined` when none is left. */
export function pruneFeatures(
  set: FeatureSet,
  state: FeatureState | undefined,
  time: number,
): FeatureState | undefined {
  const kept = set.windows.map((window, i) => {
    const held = windowState(state, i);
    return held !== undefined && isAlive(window, held, time) ? held : undefined;
  });
  if (kept.every((held) => held === undefined)) return undefined;
  return kept.every((held, i) => held === windowState(state, i)) ? state : stateOf(kept);
}

/** Longest window of the set in ms: how long after its newest event a state can matter; 0 without features. */
export const featuresHorizon = (set: FeatureSet): number => set.horizonMs;

/** Events that the windows of a key hold, those apart that have left but are not yet dropped. */
export function countFeatureEvents(set: FeatureSet, state: FeatureState | undefined): number {
  return set.windows.reduce((events, _, i) => {
    const held = windowState(state, i);
    return held === undefined ? events : events + held.to - held.from;
  }, 0);
}

/** What the window at a place holds. */
export function windowState(state: FeatureState | undefined, place: number): WindowState | undefined {
  return state === undefined || state instanceof WindowState ? state : state[place];
}

/** The state of a set from what its windows hold, one place for each. */
export function stateOf(held: readonly (WindowState | undefined)[]): FeatureState | undefined {
  if (held.every((window) => window === undefined)) return undefined;
  return held.length === 1 ? held[0] : held;
}
