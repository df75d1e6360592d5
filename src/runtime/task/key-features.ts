import { readFeatures } from '../../engine/index.js';
import type { KeyFeatures } from '../detector.js';
import type { Detection } from './detection.js';

/** What the features that a rule reads are for a key as of the watermark: nothing is changed. `null`: the rule does not run here. */
export function keyFeatures(detection: Detection, pattern: string, key: string): KeyFeatures | null {
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
    return { isKnown: state !== undefined, features: read() ?? {} };
  }
  return null;
}
