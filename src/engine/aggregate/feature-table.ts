import { canonicalJson } from '../canonical-json.js';
import { someExpr } from '../expression/analysis.js';
import type { Feature } from '../expression/feature.js';

/** A feature, and the place where its present value stands for generated conditions to read. */
export interface FeatureCell {
  /** Canonical JSON of the feature: equal for features that are the same. */
  readonly id: string;
  readonly feature: Feature;
  /** As `readFeatures` wrote it last; NaN: missing. Scratch, no part of any state. */
  value: number;
}

/** Thrown for a feature that has no meaning. */
export class FeatureError extends Error {
  readonly code = 'FEATURE_INVALID';
}

/** Features that were asked for so far: one cell for all that are the same. */
export class FeatureTable {
  private readonly cells = new Map<string, FeatureCell>();

  /** Throws `FeatureError`. */
  cell(feature: Feature): FeatureCell {
    const id = canonicalJson(feature);
    let cell = this.cells.get(id);
    if (cell === undefined) {
      check(feature);
      // NaN, so that the field holds doubles from the start and is written in place.
      cell = { id, feature, value: Number.NaN };
      this.cells.set(id, cell);
    }
    return cell;
  }
}

const BEYOND_EVENT: ReadonlySet<string> = new Set(['aggregate', 'nth', 'feature']);

function check({ fn, field, overMs, where }: Feature): void {
  const refuse = (why: string): never => {
    throw new FeatureError(`a feature ${why}`);
  };
  if (!Number.isFinite(overMs) || overMs < 0) refuse('needs a window of some milliseconds');
  if ((fn === 'count') !== (field === undefined)) refuse('other than count needs a field, and count has none');
  const isEventOnly = where === undefined || !someExpr(where, ({ op }) => BEYOND_EVENT.has(op));
  if (!isEventOnly) refuse('must look at the event alone');
}
