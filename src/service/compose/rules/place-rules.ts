import { type KeyBy, keyFields, keyName, type OtherKey, type Rule, streamsRead } from '../../../rules/index.js';
import { routeTopic } from '../../../runtime/repartition/route.js';
import type { EventClockOptions } from '../../../runtime/task/order/event-clock.js';
import type { RulePlace } from '../../features/rule-place.js';
import type { StreamFacts } from '../streams/stream-parts.js';

export interface PlacedRule {
  readonly rule: Rule;
}

/**
 * Rules that run on a topic to which the events of these streams are forwarded by their key; or one whose partitions count features for
 * rules that run behind it, and pass all events on.
 */
export interface PlacedRoute<R> {
  /** The key's name. */
  readonly field: string;
  readonly keyBy: KeyBy;
  /** Names, in the order of the settings. */
  readonly streams: readonly string[];
  readonly topic: { readonly name: string; readonly partitions: number };
  readonly clock: EventClockOptions;
  readonly rules: readonly R[];
  /** The topic that its events are passed on from; absent: they come from the streams. */
  readonly from?: string;
  /** Their features of this key are counted here; absent: none are. */
  readonly countsFor?: readonly R[];
}

export interface Places<R> {
  /** Rules that run where their stream's records are read, by the stream's name. */
  readonly local: ReadonlyMap<string, readonly R[]>;
  readonly routes: readonly PlacedRoute<R>[];
  /** Some rule of another key runs where the records are read, which is right with one partition alone. */
  readonly needsOnePartition: boolean;
}

/** What a rule says of a topic that it needs. */
interface Needed {
  readonly keyBy: KeyBy;
  /** The streams whose events go there; and those on whose event time it depends. */
  readonly of: readonly StreamFacts[];
  readonly behind: readonly StreamFacts[];
  /** The streams whose partitions it has at most as many as. */
  readonly counted: (of: readonly StreamFacts[]) => readonly StreamFacts[];
  readonly from: string | undefined;
}

/** A route as it comes about, rule by rule. */
type Draft<R> = Needed & { readonly rules: readonly R[]; readonly countsFor: readonly R[] };

/**
 * Where rules run. A rule over one stream that has the key of the stream's topic runs where the records are read, and so do all rules
 * over a topic of one partition. The others run on a topic that is keyed as they are: that of their stream, or of the group where
 * they join several. Before a rule with features of other keys there is one more topic for each of these keys, in the order of their
 * names: its partitions count the features, and pass the events on.
 */
export function placeRules<R extends PlacedRule>(
  rules: readonly R[],
  group: string,
  streams: readonly [StreamFacts, ...StreamFacts[]],
): Places<R> {
  const local = new Map<string, R[]>();
  const drafts = new Map<string, Draft<R>>();
  let needsOnePartition = false;
  const either = (a: readonly StreamFacts[], b: readonly StreamFacts[]) =>
    streams.filter((stream) => a.includes(stream) || b.includes(stream));
  const need = (
    topic: string,
    needed: Needed,
    by: { readonly rules?: readonly R[]; readonly countsFor?: readonly R[] },
  ) => {
    const known = drafts.get(topic) ?? { ...needed, rules: [], countsFor: [] };
    drafts.set(topic, {
      ...known,
      of: either(known.of, needed.of),
      behind: either(known.behind, needed.behind),
      rules: [...known.rules, ...(by.rules ?? [])],
      countsFor: [...known.countsFor, ...(by.countsFor ?? [])],
    });
  };
  for (const one of rules) {
    const { rule } = one;
    const { otherKeys = [] } = rule;
    const read = streamsOf(streamsRead(rule), streams);
    const [first, second] = read;
    const isForeign = second === undefined && (otherKeys.length > 0 || !isKeyOfTopic(rule, first));
    if (second === undefined && (!isForeign || first.settings.partitions === 1)) {
      needsOnePartition ||= isForeign;
      const { name } = first.settings;
      local.set(name, [...(local.get(name) ?? []), one]);
      continue;
    }
    const base = second === undefined ? topicOf(first) : groupName(group, streams);
    // That many for all that the group may join, so that a rule more does not change it.
    const counted =
      otherKeys.length > 0 && second !== undefined
        ? () => streams
        : (of: readonly StreamFacts[]) => (of.length === 1 ? of : streams);
    let from: string | undefined;
    for (const { key, keyBy } of otherKeys) {
      const topic = routeTopic(from ?? `${base}-features`, key);
      need(topic, { keyBy, of: read, behind: read, counted, from }, { countsFor: [one] });
      from = topic;
    }
    const of = streamsOf(rule.streams, streams);
    need(routeTopic(from ?? base, rule.key), { keyBy: rule.keyBy, of, behind: read, counted, from }, { rules: [one] });
  }
  const routes = [...drafts].map(([name, made]) => routeOf(name, made));
  return { local, routes, needsOnePartition };
}

function routeOf<R extends PlacedRule>(
  name: string,
  { keyBy, of, behind, counted, from, rules, countsFor }: Draft<R>,
): PlacedRoute<R> {
  const clocks = behind.map(({ definition }) => definition.clock);
  const mode = clocks.every((clock) => clock.mode === 'arrival') ? 'arrival' : 'event-time';
  return {
    field: keyName(keyBy),
    keyBy,
    streams: of.map(({ settings }) => settings.name),
    topic: { name, partitions: Math.max(...counted(of).map(({ settings }) => settings.partitions)) },
    clock: { ...clocks[0]!, mode, outOfOrdernessMs: 0, forwarded: true, ...(from !== undefined && { passedOn: true }) },
    rules,
    ...(from !== undefined && { from }),
    ...(countsFor.length > 0 && { countsFor }),
  };
}

function streamsOf(
  names: readonly string[],
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
): string | null => placeRules([{ rule }], group, streams).routes.at(-1)?.topic.name ?? null;

/** Where one rule can be asked for what it knows of a key. `other`: of which of its features have another key, for what they are. */
export function placeOfRule(
  rule: Rule,
  group: string,
  streams: readonly [StreamFacts, ...StreamFacts[]],
  other?: OtherKey,
): RulePlace {
  const { local, routes } = placeRules([{ rule }], group, streams);
  const route = routes.at(other === undefined ? -1 : rule.otherKeys!.indexOf(other));
  if (route !== undefined) return { topics: { names: [route.topic.name] }, isByKey: true };
  const [name] = [...local.keys()];
  const { settings } = streams.find((stream) => stream.settings.name === name)!;
  return {
    topics: settings.topics!,
    isByKey: other === undefined && (rule.keyBy.form === 'one' || rule.keyBy.form === 'by'),
  };
}
