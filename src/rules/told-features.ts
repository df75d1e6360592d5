import { canonicalJson, cellValue, type Feature, type FeatureCell, type ToldFeatures } from '../engine/index.js';

/** What a feature of another key is called where events tell it. */
export const toldName = (feature: Feature): string => canonicalJson(feature);

/** A feature of another key as whoever counts the events of that key has it. */
export function withoutKey({ of: _, ...feature }: Feature): Feature {
  return feature;
}

/** Makes what events tell of features of another key, from their present values. `cells`: of each feature. */
export function toldOf(features: readonly Feature[], cells: readonly FeatureCell[]): () => ToldFeatures {
  const named = features.map((feature, i) => [toldName(feature), cells[i]!] as const);
  return () => {
    const told: Record<string, ToldFeatures[string]> = {};
    for (const [name, cell] of named) told[name] = cellValue(cell) ?? null;
    return told;
  };
}
