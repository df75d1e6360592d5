import {
  canonicalJson,
  cellValue,
  compileFeatures,
  type EngineEvent,
  type Feature,
  type FeatureCell,
  type FeatureSet,
  type FeatureState,
  type PatternCompiler,
  readFeatures,
  type ToldFeatures,
  updateFeatures,
} from '../engine/index.js';

/** What a feature of another key is called where events tell it. */
export const toldName = (feature: Feature): string => canonicalJson(feature);

/** A feature of another key as whoever counts the events of that key has it. */
export function withoutKey({ of: _, ...feature }: Feature): Feature {
  return feature;
}

/** Counts features of another key on states that others keep, and tells what they are. All features are of one key. */
export class ToldCounter {
  private readonly named: readonly (readonly [name: string, cell: FeatureCell])[];
  private readonly set: FeatureSet;

  /** `set`: of the same compiler, with these features in it; absent: it is made of them. */
  constructor(
    features: readonly Feature[],
    private readonly compiler: PatternCompiler,
    set?: FeatureSet,
  ) {
    const cells = features.map((feature) => compiler.features.cell(withoutKey(feature)));
    this.named = features.map((feature, i) => [toldName(feature), cells[i]!]);
    this.set = set ?? compileFeatures([...new Set(cells)], (where) => compiler.testOf(where));
  }

  /** The state of a key with an event added; `null`: the event has no key, and there is no state. */
  count(key: string | null, state: FeatureState | undefined, event: EngineEvent): FeatureState | undefined {
    const { predicates } = this.compiler;
    predicates.mark.next();
    predicates.key.value = key ?? '';
    return key === null ? undefined : updateFeatures(this.set, state, event);
  }

  /** What the features are at an event that the state has been counted with last. */
  after(key: string | null, state: FeatureState | undefined, event: EngineEvent): ToldFeatures {
    readFeatures(this.set, state, event.time, key === null ? undefined : event);
    return this.now();
  }

  /** What the features are as of a time, whatever event comes then. */
  asOf(state: FeatureState | undefined, time: number): ToldFeatures {
    readFeatures(this.set, state, time);
    return this.now();
  }

  /** What the features were when they were read last. */
  now(): ToldFeatures {
    const told: Record<string, ToldFeatures[string]> = {};
    for (const [name, cell] of this.named) told[name] = cellValue(cell) ?? null;
    return told;
  }
}
