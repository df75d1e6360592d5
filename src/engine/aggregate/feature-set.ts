import { canonicalJson } from '../canonical-json.js';
import type { EngineEvent } from '../event.js';
import { compileEventTest, type EventTest } from '../expression/event-test.js';
import type { Expr, Feature } from '../expression/expression.js';
import { booleanCode, loneText } from '../expression/scalar-code.js';
import type { FeatureCell } from './feature-table.js';
import { addToTimeline, isLineAlive, lineColumns, readTimeline, type TimelineState } from './timeline.js';
import { isOneWindow, type Timeline, timelineOf } from './timeline-layout.js';
import { addEvent, isAlive, readWindow, type WindowState } from './window.js';
import { type Window, windowOf } from './window-layout.js';

/**
 * How the events of one condition are kept: as the window that all features over them share, where these are simple, or else as
 * the timeline that all their windows are views of.
 */
export type EventWindow = Window | Timeline;
export type EventWindowState = WindowState | TimelineState;

/** Features compiled together: those over the same events share a window. */
export interface FeatureSet {
  /** In order of their ids, so that equal features make equal sets. */
  readonly windows: readonly EventWindow[];
  /** What each window holds; bytes name a window by its place here. */
  readonly windowIds: readonly string[];
  /** Longest window in ms: how long after its newest event a state can matter; 0 without features. */
  readonly horizonMs: number;
  /** Features of other keys, whose values the events bring with them. */
  readonly told: readonly FeatureCell[];
}

/**
 * What the windows of one key hold: the state of the set's only window, or one place for each window. It never changes;
 * `undefined` stands for a key of which nothing is held.
 */
export type FeatureState = EventWindowState | readonly (EventWindowState | undefined)[];

/** `testOf` makes a function of a `where`: a host that has compiled the same condition already can give its own. */
export function compileFeatures(
  cells: readonly FeatureCell[],
  testOf: (where: Expr) => EventTest = compileEventTest,
): FeatureSet {
  const groups = new Map<string, FeatureCell[]>();
  for (const cell of cells) {
    if (cell.feature.of !== undefined) continue;
    const key = eventsOf(cell.feature);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const windows = [...groups].map(([events, group]): EventWindow => {
    const { where, overMs } = group[0]!.feature;
    const test = where === undefined ? null : testOf(where);
    if (!isOneWindow(group.map(({ feature }) => feature))) return timelineOf(events, group, test);
    return windowOf(canonicalJson({ where, overMs }), group, test);
  });
  windows.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    windows,
    windowIds: windows.map((window) => window.id),
    horizonMs: windows.reduce((longest, window) => Math.max(longest, horizonOf(window)), 0),
    told: cells.filter(({ feature }) => feature.of !== undefined),
  };
}

/** Canonical JSON of which events a feature looks at, whatever their time. */
export const eventsOf = ({ where }: Pick<Feature, 'where'>): string => canonicalJson({ where });

/** How long after its newest event a window can matter, in ms. */
export const horizonOf = (window: EventWindow): number => (window.kind === 'window' ? window.overMs : window.horizonMs);

/** Places of a row in what `window` holds as a value. */
const columnsOf = (window: EventWindow): number => (window.kind === 'window' ? window.stride : lineColumns(window));

/** Whether some window counts the event. */
export function takesAny(set: FeatureSet, event: EngineEvent): boolean {
  const { windows } = set;
  for (let i = 0; i < windows.length; i++) if (takes(windows[i]!, event)) return true;
  return false;
}

/** Whether the window counts the event. */
export const takes = (window: EventWindow, event: EngineEvent): boolean =>
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
    return takes(window, event) ? addTo(window, windowState(state, 0), event) : state;
  }
  let changed: (EventWindowState | undefined)[] | null = null;
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if (!takes(window, event)) continue;
    changed ??= windows.map((_, place) => windowState(state, place));
    changed[i] = addTo(window, changed[i], event);
  }
  return changed ?? state;
}

const addTo = (window: EventWindow, state: EventWindowState | undefined, event: EngineEvent): EventWindowState =>
  window.kind === 'window'
    ? addEvent(window, state as WindowState | undefined, event)
    : addToTimeline(window, state as TimelineState | undefined, event);

/**
 * Writes the value of every cell as of `time`, which must not be before the newest event. `undefined`: of a key without events.
 * `event`: the one under test, which is in the state already; absent: there is none, and `since` looks at the newest.
 */
export function readFeatures(
  set: FeatureSet,
  state: FeatureState | undefined,
  time: number,
  event?: EngineEvent,
): void {
  const { windows } = set;
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    const held = windowState(state, i);
    if (window.kind === 'window') readWindow(window, held as WindowState | undefined, time);
    else readTimeline(window, held as TimelineState | undefined, time, event !== undefined && takes(window, event));
  }
  if (set.told.length > 0) readTold(set, event);
}

/** Writes the values of the features of other keys that the event says; where there is none they are missing. */
export function readTold({ told }: FeatureSet, event?: EngineEvent): void {
  for (let i = 0; i < told.length; i++) {
    const cell = told[i]!;
    const value = event?.told?.[cell.id];
    if (typeof value === 'string') {
      const { code, texts } = loneText(value);
      cell.value = code;
      cell.texts = texts;
    } else {
      cell.value = typeof value === 'number' ? value : typeof value === 'boolean' ? booleanCode(value) : Number.NaN;
    }
  }
}

/** The state without windows of which no event counts at `time` or later; `undefined` when none is left. */
export function pruneFeatures(
  set: FeatureSet,
  state: FeatureState | undefined,
  time: number,
): FeatureState | undefined {
  const kept = set.windows.map((window, i) => {
    const held = windowState(state, i);
    return held !== undefined && isHeldAlive(window, held, time) ? held : undefined;
  });
  if (kept.every((held) => held === undefined)) return undefined;
  return kept.every((held, i) => held === windowState(state, i)) ? state : stateOf(kept);
}

const isHeldAlive = (window: EventWindow, held: EventWindowState, time: number): boolean =>
  window.kind === 'window'
    ? isAlive(window, held as WindowState, time)
    : isLineAlive(window, held as TimelineState, time);

/** Longest window of the set in ms: how long after its newest event a state can matter; 0 without features. */
export const featuresHorizon = (set: FeatureSet): number => set.horizonMs;

/** Events that the windows of a key hold, those apart that have left but are not yet dropped. */
export function countFeatureEvents(set: FeatureSet, state: FeatureState | undefined): number {
  return set.windows.reduce((events, window, i) => {
    const held = windowState(state, i);
    return held === undefined ? events : events + (held.to - held.from) / columnsOf(window);
  }, 0);
}

/** What the window at a place holds. */
export function windowState(state: FeatureState | undefined, place: number): EventWindowState | undefined {
  return isList(state) ? state[place] : state;
}

const isList = (state: FeatureState | undefined): state is readonly (EventWindowState | undefined)[] =>
  Array.isArray(state);

/** The state of a set from what its windows hold, one place for each. */
export function stateOf(held: readonly (EventWindowState | undefined)[]): FeatureState | undefined {
  if (held.every((window) => window === undefined)) return undefined;
  return held.length === 1 ? held[0] : held;
}

/**
 * The windows of two states of one key over the same events, each from the state that reaches back farther. `isSame`: the window of the
 * first state was the very same before it came here, and is taken where both reach as far.
 */
export function joinFeatures(
  a: FeatureState | undefined,
  b: FeatureState | undefined,
  isSame: (place: number) => boolean,
): FeatureState | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const places = Math.max(isList(a) ? a.length : 1, isList(b) ? b.length : 1);
  const size = (state: EventWindowState | undefined): number => (state === undefined ? 0 : state.to - state.from);
  const chosen = Array.from({ length: places }, (_, place) => {
    const [one, other] = [windowState(a, place), windowState(b, place)];
    const first = isSame(place) ? size(one) >= size(other) : size(one) > size(other);
    return first ? one : other;
  });
  return stateOf(chosen);
}
