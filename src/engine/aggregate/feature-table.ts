import { canonicalJson } from '../canonical-json.js';
import { someExpr } from '../expression/analysis.js';
import type { Feature } from '../expression/expression.js';
import type { Texts } from '../expression/scalar-code.js';

/** A feature, and the place where its present value stands for generated conditions to read. */
export interface FeatureCell {
  /** Canonical JSON of the feature: equal for features that are the same. */
  readonly id: string;
  readonly feature: Feature;
  /** As `readFeatures` wrote it last; NaN: missing. Of `first` and `last` a code (`scalar-code.ts`). Scratch, no part of any state. */
  value: number;
  /** Knows the text that `value` is the code of. */
  texts: Pick<Texts, 'textOf'> | null;
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
      cell = { id, feature, value: Number.NaN, texts: null };
      this.cells.set(id, cell);
    }
    return cell;
  }
}

const BEYOND_EVENT: ReadonlySet<string> = new Set(['aggregate', 'nth', 'feature']);

function check({ fn, field, q, overMs, lagMs, where }: Feature): void {
  const refuse = (why: string): never => {
    throw new FeatureError(`a feature ${why}`);
  };
  const hasField = fn !== 'count' && fn !== 'since';
  if (!Number.isFinite(overMs) || overMs < 0) refuse('needs a window of some milliseconds');
  if (hasField !== (field !== undefined)) refuse('other than count and since needs a field, and these have none');
  if ((fn === 'quantile') !== (q !== undefined)) refuse('has q exactly if it is a quantile');
  if (q !== undefined && !(q >= 0 && q <= 1)) refuse('needs a q from 0 to 1');
  if (lagMs !== undefined && !(Number.isFinite(lagMs) && lagMs > 0)) refuse('lags by some milliseconds, or not at all');
  if (fn === 'since' && lagMs !== undefined) refuse('that tells the time since the event before cannot lag');
  const isEventOnly = where === undefined || !someExpr(where, ({ op }) => BEYOND_EVENT.has(op));
  if (!isEventOnly) refuse('must look at the event alone');
}
