import { type Feature, type FeatureSet, type KeyState, readFeatures, rowsBehind } from '../../engine/index.js';
import { withoutKey } from '../../rules/told-features.js';
import type { FeatureQuestion, KeyFeatures } from '../detector.js';
import type { Detection } from './detection.js';

/**
 * What the features that a rule reads are for a key as of the watermark: nothing is changed. `null`: the rule does not run here, or its
 * features of that other key are not counted here.
 */
export function keyFeatures(detection: Detection, question: FeatureQuestion): KeyFeatures | null {
  return question.told === undefined
    ? ownFeatures(detection, question)
    : toldFeatures(detection, question, question.told);
}

function ownFeatures(detection: Detection, question: FeatureQuestion): KeyFeatures | null {
  for (const engine of detection.engines) {
    const slot = engine.rules.findIndex((rule) => rule.id === question.pattern && rule.drains !== true);
    if (slot < 0) continue;
    const { features: set, tellings } = engine.ruleSet;
    const state = engine.peek(question.key);
    const { watermark } = detection.clock;
    const read = tellings[slot]?.features ?? null;
    if (set === null || read === null || !Number.isFinite(watermark))
      return { isKnown: state !== undefined, features: {} };
    readFeatures(set, state?.features, watermark);
    const named = (engine.rules[slot]!.features ?? []).filter(({ feature }) => feature.of === undefined);
    const values = read() ?? {};
    const asked = named.map(({ name, feature }) => ({ name, feature, value: values[name]! }));
    return answer(question, { set, state, watermark }, asked);
  }
  return null;
}

function toldFeatures(
  detection: Detection,
  question: FeatureQuestion,
  told: NonNullable<FeatureQuestion['told']>,
): KeyFeatures | null {
  const names = Object.entries(told);
  const engine = detection.telling.find(({ tells }) => names.every(([, by]) => tells.has(by)));
  if (engine === undefined) return null;
  const state = engine.peek(question.key);
  const { watermark } = detection.clock;
  if (!Number.isFinite(watermark)) return { isKnown: state !== undefined, features: {} };
  const values = engine.toldAsOf(state, watermark);
  const asked = names.map(([name, by]) => ({ name, feature: withoutKey(engine.tells.get(by)!), value: values[by]! }));
  return answer(question, { set: engine.ruleSet.features!, state, watermark }, asked);
}

function answer(
  { events = 0 }: FeatureQuestion,
  { set, state, watermark }: { set: FeatureSet; state: KeyState | undefined; watermark: number },
  asked: readonly { name: string; feature: Feature; value: KeyFeatures['features'][string] }[],
): KeyFeatures {
  const features = Object.fromEntries(asked.map(({ name, value }) => [name, value]));
  const known = { isKnown: state !== undefined, features };
  if (events <= 0) return known;
  const behind = asked.map(({ name, feature }) => {
    return [name, rowsBehind(set, state?.features, feature, watermark, events)] as const;
  });
  return { ...known, events: Object.fromEntries(behind) };
}
