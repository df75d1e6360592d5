import { canonicalJson } from '../canonical-json.js';
import type { Feature, Scalar } from '../expression/expression.js';
import { type EventWindow, type FeatureSet, type FeatureState, windowState } from './feature-set.js';

/** An event that a feature counts. */
export interface FeatureRow {
  /** Event time in ms. */
  readonly time: number;
  /** Of the feature's field; `null`: it is missing, or the feature has no field. */
  readonly value: Scalar | null;
}

/** The events that a feature counts as of `time`, the newest first, `max` at most. Nothing is changed. */
export function rowsBehind(
  set: FeatureSet,
  state: FeatureState | undefined,
  feature: Feature,
  time: number,
  max: number,
): readonly FeatureRow[] {
  const id = canonicalJson(feature);
  const place = set.windows.findIndex((window) =>
    cellsOf(window).some(({ cell }) => canonicalJson(cell.feature) === id),
  );
  const held = place < 0 ? undefined : windowState(state, place);
  if (held === undefined) return [];
  const window = set.windows[place]!;
  const columns = window.kind === 'window' ? window.stride : 1 + window.fields.length;
  const field = window.fields.findIndex(({ name }) => name === feature.field);
  const end = time - (feature.lagMs ?? 0);
  const found: FeatureRow[] = [];
  for (let at = held.to - columns; at >= held.from && found.length < max; at -= columns) {
    const when = held.rows[at] as number;
    if (when > end) continue;
    if (when < end - feature.overMs) break;
    const value = field < 0 ? null : held.rows[at + 1 + field]!;
    found.push({ time: when, value: typeof value === 'number' && Number.isNaN(value) ? null : value });
  }
  return found;
}

const cellsOf = (window: EventWindow) =>
  window.kind === 'window' ? window.cells : window.views.flatMap(({ cells }) => cells);
