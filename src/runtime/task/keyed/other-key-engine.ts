import type { Expr, Feature, KeyState, ToldFeatures } from '../../../engine/index.js';
import type { OtherKey, Rule } from '../../../rules/rule.js';
import { ToldCounter, toldName, withoutKey } from '../../../rules/told-features.js';
import type { SourceEvent } from '../source-event.js';
import { KeyedEngine } from './keyed-engine.js';
import type { KeyedEngineOptions } from './keyed-options.js';

/**
 * Counts features over the events of one key for the rules of other keys, and tells each event what they are at it. It is an engine as
 * those of rules, so that what it knows is kept, stored and handed over as theirs is; but it has no rule that could find anything.
 *
 * Invariant: it has all keys, whichever of them the rules beside it have.
 */
export class OtherKeyEngine extends KeyedEngine {
  private readonly counter: ToldCounter;
  /** What it tells, by the names by which it does. */
  readonly tells: ReadonlyMap<string, Feature>;

  /** `others`: of one key. */
  constructor(others: readonly OtherKey[], options: KeyedEngineOptions = {}) {
    const told = distinct(others);
    const rule = counting(others[0]!, told);
    const { ownsKey: _, ...all } = options;
    super(nameOf(others[0]!), [rule], { onMatch: () => undefined }, all);
    const { compiler, features } = this.ruleSet;
    this.counter = new ToldCounter([...told.values()], compiler, features!);
    this.tells = told;
  }

  /** Counts an event, and tells it what the features are at it: of one that has no such key, what they are for a key without events. */
  tell(event: SourceEvent): void {
    const [key] = this.input.keysOf(event);
    this.count(key ?? null, event);
    event.tell(this.counter.now());
  }

  /** What the features are for a state of a key as of a time, in ms. */
  toldAsOf(state: KeyState | undefined, time: number): ToldFeatures {
    return this.counter.asOf(state?.features, time);
  }

  /** What `tell` would tell the last of these events, the others before it; all of them have the key. Nothing is changed. */
  toldAfter(key: string | null, events: readonly SourceEvent[]): ToldFeatures {
    let state = key === null ? undefined : this.peek(key)?.features;
    for (const event of events) state = this.counter.count(key, state, event);
    return this.counter.after(key, state, events.at(-1)!);
  }
}

/** The features of other keys that some rules read, by key, in the order of the keys' names. */
export function otherKeyGroups(rules: readonly Pick<Rule, 'otherKeys'>[]): readonly (readonly OtherKey[])[] {
  const byKey = new Map<string, OtherKey[]>();
  for (const { otherKeys = [] } of rules)
    for (const other of otherKeys) byKey.set(other.key, [...(byKey.get(other.key) ?? []), other]);
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, others]) => others);
}

/** No field has such a name, and so no engine of rules. */
const nameOf = ({ key }: OtherKey): string => `features by ${key}`;

/** Each feature once, by the name by which it is told, in the order of these. */
function distinct(others: readonly OtherKey[]): ReadonlyMap<string, Feature> {
  const named = others.flatMap(({ features }) => features.map((feature) => [toldName(feature), feature] as const));
  return new Map([...new Map(named)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Stands for the rules where an engine must have one. Its revision is always the same: what is known belongs to windows, not to it. */
function counting({ key, keyBy }: OtherKey, told: ReadonlyMap<string, Feature>): Rule {
  const never: Expr = { op: 'const', value: false };
  return {
    ...{ id: 'features', title: 'features', status: 'live', key, keyBy, streams: [], tags: [] },
    pattern: { steps: [{ kind: 'event', name: 'none', contiguity: 'start', where: never }] },
    alert: { severity: 'low', score: 0, message: [] },
    features: [...told].map(([name, feature]) => ({ name, feature: withoutKey(feature) })),
    ...{ revision: 'features', source: '', fields: [] },
  };
}
