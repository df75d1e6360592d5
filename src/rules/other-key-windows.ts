import {
  type CompileOptions,
  type EngineEvent,
  type FeatureState,
  PatternCompiler,
  type ToldFeatures,
} from '../engine/index.js';
import { keysBy } from './key-of.js';
import type { OtherKey, Rule } from './rule.js';
import { ToldCounter } from './told-features.js';

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
  private readonly counter: ToldCounter;
  private readonly keysOf: ReturnType<typeof keysBy>;
  private readonly states = new Map<string, FeatureState | undefined>();

  constructor({ keyBy, features }: OtherKey, options: CompileOptions) {
    this.counter = new ToldCounter(features, new PatternCompiler(options));
    this.keysOf = keysBy(keyBy);
  }

  tell(event: EngineEvent): ToldFeatures {
    const [key = null] = this.keysOf(event);
    const state = this.counter.count(key, key === null ? undefined : this.states.get(key), event);
    if (key !== null) this.states.set(key, state);
    return this.counter.after(key, state, event);
  }
}
