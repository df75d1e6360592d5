import { type KeyBy, keyFields, type Rule } from '../../rules/index.js';
import { routeTopic } from '../../runtime/repartition/route.js';
import type { EventClockOptions } from '../../runtime/task/order/event-clock.js';
import type { RulePlace } from '../features/rule-place.js';
import type { StreamFacts } from './stream-parts.js';

export interface PlacedRule {
  readonly rule: Rule;
}

/** Rules that run on a topic to which the events of these streams are forwarded by their key. */
export interface PlacedRoute<R> {
  /** The key's name. */
  readonly field: string;
  readonly keyBy: KeyBy;
  /** Names, in the order of the settings. */
  readonly streams: readonly string[];
  readonly topic: { readonly name: string; readonly partitions: number };
  readonly clock: EventClockOptions;
  readonly rules: readonly R[];
}

export interface Places<R> {
  /** Rules that run where their stream's records are read, by the stream's name. */
  readonly local: ReadonlyMap<string, readonly R[]>;
  readonly routes: readonly PlacedRoute<R>[];
  /** Some rule of another key runs where the records are read, which is right with one partition alone. */
  readonly needsOnePartition: boolean;
}

/**
 * Where rules run. A rule over one stream that has the key of the stream's topic runs where the records are read, and so do all rules
 * over a topic of one partition. The others run on a topic that is keyed as they are: that of their stream, or of the group where
 * they join several.
 */
export function placeRules<R extends PlacedRule>(
  rules: readonly R[],
  group: string,
  streams: readonly [StreamFacts, ...StreamFacts[]],
): Places<R> {
  const local = new Map<string, R[]>();
  const routed = new Map<string, { readonly of: readonly StreamFacts[]; readonly rules: R[] }>();
  let needsOnePartition = false;
  for (const one of rules) {
    const read = streamsOf(one.rule, streams);
    const [first, second] = read;
    const isForeign = second === undefined && !isKeyOfTopic(one.rule, first);
    if (second === undefined && (!isForeign || first.settings.partitions === 1)) {
      needsOnePartition ||= isForeign;
      const { name } = first.settings;
      local.set(name, [...(local.get(name) ?? []), one]);
      continue;
    }
    const topic = routeTopic(second === undefined ? topicOf(first) : groupName(group, streams), one.rule.key);
    const known = routed.get(topic);
    const of = streams.filter((stream) => read.includes(stream) || known?.of.includes(stream));
    routed.set(topic, { of, rules: [...(known?.rules ?? []), one] });
  }
  const routes = [...routed].map(([name, { of, rules: own }]) => routeOf(name, of, own, streams));
  return { local, routes, needsOnePartition };
}

function routeOf<R extends PlacedRule>(
  name: string,
  of: readonly StreamFacts[],
  rules: readonly R[],
  streams: readonly StreamFacts[],
): PlacedRoute<R> {
  const { key, keyBy } = rules[0]!.rule;
  // That many for all that the group may join, so that a rule more does not change it.
  const counted = of.length === 1 ? of : streams;
  const clocks = of.map(({ definition }) => definition.clock);
  const mode = clocks.every((clock) => clock.mode === 'arrival') ? 'arrival' : 'event-time';
  return {
    field: key,
    keyBy,
    streams: of.map(({ settings }) => settings.name),
    topic: { name, partitions: Math.max(...counted.map(({ settings }) => settings.partitions)) },
    clock: { ...clocks[0]!, mode, outOfOrdernessMs: 0, forwarded: true },
    rules,
  };
}

function streamsOf(
  { streams: names }: Rule,
  streams: readonly [StreamFacts, ...StreamFacts[]],
): readonly [StreamFacts, ...StreamFacts[]] {
  const [first, ...others] = streams.filter(({ settings }) => names.includes(settings.name));
  return first === undefined ? [streams[0]] : [first, ...others];
}

/** Whether all events of a key are in one partition of the stream's topic. */
function isKeyOfTopic({ keyBy }: Rule, { definition, settings }: StreamFacts): boolean {
  if (keyBy.form === 'each') return false;
  const fields = keyFields(keyBy, settings.name);
  // The record's own key is not looked at: it is taken to be that of rules with one field.
  return definition.keyField === null ? keyBy.form !== 'pair' : fields.includes(definition.keyField);
}

const topicOf = ({ settings }: StreamFacts): string => settings.topic ?? settings.name;

/** A group may have the name of a topic, whose events by that key are others. */
function groupName(group: string, streams: readonly StreamFacts[]): string {
  return streams.some((stream) => topicOf(stream) === group) ? `${group}-streams` : group;
}

/** Name of the topic that events are forwarded to for a rule; `null`: it runs where records are read. */
export const forwardTopic = (
  rule: Rule,
  group: string,
  streams: readonly [StreamFacts, ...StreamFacts[]],
): string | null => placeRules([{ rule }], group, streams).routes[0]?.topic.name ?? null;

/** Where one rule can be asked for what it knows of a key. */
export function placeOfRule(rule: Rule, group: string, streams: readonly [StreamFacts, ...StreamFacts[]]): RulePlace {
  const { local, routes } = placeRules([{ rule }], group, streams);
  const [route] = routes;
  if (route !== undefined) return { topics: { names: [route.topic.name] }, isByKey: true };
  const [name] = [...local.keys()];
  const { settings } = streams.find((stream) => stream.settings.name === name)!;
  return { topics: settings.topics!, isByKey: rule.keyBy.form === 'one' || rule.keyBy.form === 'by' };
}
