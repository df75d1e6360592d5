import { readFeatures, rowsBehind } from '../../engine/index.js';
import type { FeatureQuestion, KeyFeatures } from '../detector.js';
import type { Detection } from './detection.js';

/** What the features that a rule reads are for a key as of the watermark: nothing is changed. `null`: the rule does not run here. */
export function keyFeatures(detection: Detection, { pattern, key, events = 0 }: FeatureQuestion): KeyFeatures | null {
  for (const engine of detection.engines) {
    const slot = engine.rules.findIndex((rule) => rule.id === pattern && rule.drains !== true);
    if (slot < 0) continue;
    const { ruleSet } = engine;
    const state = engine.peek(key);
    const { watermark } = detection.clock;
    const read = ruleSet.tellings[slot]?.features ?? null;
    if (ruleSet.features === null || read === null || !Number.isFinite(watermark))
      return { isKnown: state !== undefined, features: {} };
    readFeatures(ruleSet.features, state?.features, watermark);
    const named = (engine.rules[slot]!.features ?? []).filter(({ feature }) => feature.of === undefined);
    const values = read() ?? {};
    const known = {
      isKnown: state !== undefined,
      features: Object.fromEntries(named.map(({ name }) => [name, values[name]!])),
    };
    if (events <= 0) return known;
    const behind = named.map(({ name, feature }) => {
      return [name, rowsBehind(ruleSet.features!, state?.features, feature, watermark, events)] as const;
    });
    return { ...known, events: Object.fromEntries(behind) };
  }
  return null;
}
