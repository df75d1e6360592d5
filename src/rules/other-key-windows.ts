import {
  type CompileOptions,
  compileFeatures,
  type EngineEvent,
  type FeatureSet,
  type FeatureState,
  PatternCompiler,
  readFeatures,
  type ToldFeatures,
  updateFeatures,
} from '../engine/index.js';
import { keysBy } from './key-of.js';
import type { OtherKey, Rule } from './rule.js';
import { toldOf, withoutKey } from './told-features.js';

/** Counts a rule's features of other keys, over few events: for tests of rules, and for witnesses. */
export class OtherKeyWindows {
  private readonly keys: readonly OneKey[];

  constructor({ otherKeys = [] }: Pick<Rule, 'otherKeys'>, options: CompileOptions) {
    this.keys = otherKeys.map((other) => new OneKey(other, options));
  }

  /** The event with what the features are at it. Times must not fall. */
  tell(event: EngineEvent): EngineEvent {
    if (this.keys.length === 0) return event;
    return { ...event, told: Object.assign({}, event.told, ...this.keys.map((key) => key.tell(event))) };
  }
}

class OneKey {
  private readonly compiler: PatternCompiler;
  private readonly features: FeatureSet;
  private readonly told: () => ToldFeatures;
  private readonly keysOf: ReturnType<typeof keysBy>;
  private readonly states = new Map<string, FeatureState | undefined>();

  constructor({ keyBy, features }: OtherKey, options: CompileOptions) {
    const compiler = new PatternCompiler(options);
    const cells = features.map((feature) => compiler.features.cell(withoutKey(feature)));
    this.compiler = compiler;
    this.features = compileFeatures([...new Set(cells)], (where) => compiler.testOf(where));
    this.told = toldOf(features, cells);
    this.keysOf = keysBy(keyBy);
  }

  tell(event: EngineEvent): ToldFeatures {
    const [key] = this.keysOf(event);
    this.compiler.predicates.mark.next();
    this.compiler.predicates.key.value = key ?? '';
    const state = key === undefined ? undefined : updateFeatures(this.features, this.states.get(key), event);
    if (key !== undefined) this.states.set(key, state);
    readFeatures(this.features, state, event.time, key === undefined ? undefined : event);
    return this.told();
  }
}
