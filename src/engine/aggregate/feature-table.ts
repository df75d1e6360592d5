import { canonicalJson } from '../canonical-json.js';
import type { Feature } from './feature.js';

/** A feature, and the place where its present value stands for generated conditions to read. */
export interface FeatureCell {
  /** Canonical JSON of the feature: equal for features that are the same. */
  readonly id: string;
  readonly feature: Feature;
  /** As `readFeatures` wrote it last; NaN: missing. Scratch, no part of any state. */
  value: number;
}

/** Features that were asked for so far: one cell for all that are the same. */
export class FeatureTable {
  private readonly cells = new Map<string, FeatureCell>();

  cell(feature: Feature): FeatureCell {
    const id = canonicalJson(feature);
    let cell = this.cells.get(id);
    if (cell === undefined) {
      // NaN, so that the field holds doubles from the start and is written in place.
      cell = { id, feature, value: Number.NaN };
      this.cells.set(id, cell);
    }
    return cell;
  }
}
