import { createHash } from 'node:crypto';
import { keyFields, type ParsedRule, ParsedRules, parseRule, type Rule } from '../../../rules/index.js';
import { toldName } from '../../../rules/told-features.js';
import {
  countsFor,
  digestWithLists,
  type ReadRuleSet,
  type RuleSetVersion,
  ruleSetDigest,
  rulesOf,
} from '../../../runtime/journal/rule-set-version.js';
import { NO_LISTS, type ReferenceLists } from '../../../runtime/lists/reference-lists.js';
import type { RecordDecoder } from '../../../runtime/ports/decoder.js';
import { forwardedDecoder } from '../../../runtime/repartition/forwarded-decoder.js';
import type { Route } from '../../../runtime/repartition/route.js';
import type { Settings } from '../../../runtime/settings/index.js';
import type { Tree } from '../../../runtime/settings/tree.js';
import { type RuleOptions, ruleOptionsOf } from '../../../runtime/task/keyed/keyed-engine.js';
import type { EventClockOptions } from '../../../runtime/task/order/event-clock.js';
import { type AllStreams, ruleStreamsOf, type StreamParts } from '../streams/stream-parts.js';
import { type PlacedRule, placeRules } from './place-rules.js';
import type { RuleSource } from './running-rules.js';

/** A rule set as the journal holds it: all that is needed to run it again, but for the streams' schemas. JSON. */
interface RuleSetBody {
  readonly files: readonly RuleSource[];
  readonly options: RuleOptions;
  readonly clock: EventClockOptions;
  /** Names of the streams whose events come. Absent: the first of the settings. */
  readonly streams?: readonly string[];
  /** What those of them were that had been registered or changed while the service ran. */
  readonly definitions?: Definitions;
  /** The rules run elsewhere, and their features of this key are counted. Absent: they run. */
  readonly counts?: string;
  /** Fields that none of the rules reads, by which events are forwarded. Absent: there are none. */
  readonly forwards?: readonly string[];
}

/** Streams by name, as they were registered. */
type Definitions = Readonly<Record<string, Tree>>;

/** Rules that ask lists, by the digest that they have without, with the digests of the lists by their names. JSON. */
interface ListedBody {
  readonly rules: string;
  readonly lists: Readonly<Record<string, string>>;
}

export class RuleSetError extends Error {
  readonly code = 'RULE_SET';
}

export interface RuleSets {
  /** Runs where the records of the first stream are read. */
  readonly source: RuleSetVersion;
  /** Run where the records of the other streams are read, by their names. */
  readonly others: ReadonlyMap<string, RuleSetVersion>;
  /** Keyed otherwise than their stream, or over several: one for each topic. */
  readonly routes: readonly Route[];
  /** Rules of another key that run where the records are read, which is right with one partition alone. */
  readonly needsOnePartition: boolean;
}

interface Compiled extends PlacedRule {
  readonly source: RuleSource;
}

/** The rule sets that these rules, settings and lists make. `known`: what was read before with the same streams and lists. Throws `RuleSetError` when a rule does not hold for the streams' schemas. */
export function ruleSetsOf(
  sources: readonly RuleSource[],
  settings: Settings,
  streams: AllStreams,
  lists: ReferenceLists,
  known: ParsedRules = new ParsedRules(),
): RuleSets {
  known.begin();
  const rules = sources.map((source): Compiled => ({ source, rule: compiled(source, streams, lists, known) }));
  const { local, routes, needsOnePartition } = placeRules(rules, settings.kafka.groupId, streams);
  const options = ruleOptionsOf(settings.engine);
  const make = (
    of: readonly Compiled[],
    clock: EventClockOptions,
    names: readonly string[],
    more: Pick<RuleSetBody, 'counts' | 'forwards'>,
  ) => {
    const own = names.length === 1 && names[0] === streams[0].settings.name ? {} : { streams: names };
    const definitions = definitionsOf(names, streams);
    const files = of.map(({ source }) => source);
    const body = { files, options, clock, ...own, ...(definitions && { definitions }), ...more };
    return versionOf(body, of, streams, lists);
  };
  const made = streams.map(({ definition: { name, clock } }) => {
    const forwarded = routes.filter((route) => route.from === undefined && route.streams.includes(name));
    const own = local.get(name) ?? [];
    const read = new Set(own.flatMap(({ rule }) => rule.fields));
    const fields = forwarded.flatMap(({ keyBy }) => keyFields(keyBy, name)).filter((field) => !read.has(field));
    const forwards = [...new Set(fields)].sort();
    return [name, make(own, clock, [name], forwards.length === 0 ? {} : { forwards })] as const;
  });
  return {
    source: made[0]![1],
    others: new Map(made.slice(1)),
    routes: routes.map(({ rules: routed, countsFor, clock, ...route }) => ({
      ...route,
      ruleSet:
        countsFor === undefined
          ? make(routed, clock, route.streams, {})
          : make(countsFor, clock, route.streams, { counts: route.field }),
    })),
    needsOnePartition,
  };
}

/** Reads rules into `known`, so that `ruleSetsOf` finds them there; with `turn` for other work after each that was not there yet. */
export async function readAhead(
  sources: readonly RuleSource[],
  streams: AllStreams,
  lists: ReferenceLists,
  { known, turn }: { readonly known: ParsedRules; readonly turn: () => Promise<void> },
): Promise<void> {
  known.begin();
  for (const source of sources) {
    const before = known.parsed;
    parsed(source, streams, lists, known);
    if (known.parsed > before) await turn();
  }
}

/** What of these streams was registered while the service ran; `undefined`: nothing. */
function definitionsOf(names: readonly string[], streams: AllStreams): Definitions | undefined {
  const own = streams.flatMap(({ settings: { name }, registered }): [string, Tree][] =>
    names.includes(name) && registered?.definition ? [[name, registered.definition]] : [],
  );
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** The streams as they were when a rule set was in force that had these definitions. */
function asTheyWere(
  [first, ...others]: AllStreams,
  names: readonly string[],
  definitions: Definitions,
  streamAs: StreamAs,
): AllStreams {
  const was = (stream: StreamParts): StreamParts => {
    const { registered, settings } = stream;
    return registered === undefined ? stream : (streamAs(settings.name, definitions[settings.name] ?? null) ?? stream);
  };
  const known = new Set([first, ...others].map(({ settings }) => settings.name));
  const gone = names.filter((name) => !known.has(name)).map((name) => streamAs(name, definitions[name] ?? null));
  return [was(first), ...others.map(was), ...gone.filter((stream) => stream !== null)];
}

/** The same rules with other lists; one that asks no list that has changed is the very same. */
export function withLists(sets: RuleSets, lists: ReferenceLists): RuleSets {
  return {
    ...sets,
    source: listed(sets.source, lists),
    others: new Map([...sets.others].map(([name, version]) => [name, listed(version, lists)])),
    routes: sets.routes.map((route) => ({ ...route, ruleSet: listed(route.ruleSet, lists) })),
  };
}

/** Digests of the lists that a rule set asks, by name, from its body. */
export function listsIn(bytes: Uint8Array): Readonly<Record<string, string>> {
  const body = JSON.parse(new TextDecoder().decode(bytes)) as RuleSetBody | ListedBody;
  return 'lists' in body ? body.lists : {};
}

/** What `ruleSetReader` reads with. */
export interface RuleSetReading {
  readonly streams: AllStreams;
  readonly today: () => ReferenceLists;
  /** What lists held when they had these digests. */
  readonly asOf: (digests: Readonly<Record<string, string>>, today: ReferenceLists) => Promise<ReferenceLists>;
  /** Those that run now. */
  readonly current: () => readonly RuleSetVersion[];
  /** Absent: no stream was registered or changed while the service ran. */
  readonly streamAs?: StreamAs;
}

/** A stream as it once was registered; `null`: as it was before that, if it was there. Answers `null` for one that never was. */
export type StreamAs = (name: string, definition: Tree | null) => StreamParts | null;

/** Rule sets of before that are kept as they were read: where lists alone change, nothing is compiled again. */
const READ_MAX = 8;

/** Reads rule sets that were in force before. They are checked against today's schemas of the streams, and ask their lists as they were. */
export function ruleSetReader({ streams: now, today, asOf, current, streamAs }: RuleSetReading): ReadRuleSet {
  const read = new Map<string, RuleSetVersion>();
  const rulesOf = (digest: string, bytes: Uint8Array): RuleSetVersion => {
    const body = JSON.parse(new TextDecoder().decode(bytes)) as RuleSetBody;
    const names = body.streams ?? [now[0].settings.name];
    const streams = streamAs === undefined ? now : asTheyWere(now, names, body.definitions ?? {}, streamAs);
    const name = `${digest} ${names.join()}`;
    const same = (version: RuleSetVersion): boolean =>
      version.apart?.digest === digest && version.streams?.join() === names.join();
    const found = read.get(name) ?? current().find(same);
    if (found !== undefined) return found;
    // What lists hold is for others to say: here it is enough that any may be asked.
    const rules = body.files.map((source) => ({ source, rule: compiled(source, streams, null) }));
    const definitions = names.map((own) => partsOf(own, streams).definition);
    const made = { ...versionOf(body, rules, streams, NO_LISTS), ...(streamAs && { definitions }) };
    read.set(name, made);
    for (const old of [...read.keys()].slice(0, -READ_MAX)) read.delete(old);
    return made;
  };
  return async (bytes, bodyOf) => {
    const body = JSON.parse(new TextDecoder().decode(bytes)) as RuleSetBody | ListedBody;
    // One that asks no lists has no digest of its own here: its bytes tell it from others.
    if (!('lists' in body)) return rulesOf(createHash('sha256').update(bytes).digest('hex'), bytes);
    const rules = await bodyOf(body.rules);
    if (rules === undefined) throw new RuleSetError(`its rules (${body.rules}) are not in the journal`);
    return listed(rulesOf(body.rules, rules), await asOf(body.lists, today()));
  };
}

function listed(version: RuleSetVersion, lists: ReferenceLists): RuleSetVersion {
  const { apart, digest, options } = version;
  if (apart === undefined) return version;
  const body: ListedBody = {
    rules: apart.digest,
    lists: lists.digests(rulesOf(version).flatMap((rule) => rule.lists ?? [])),
  };
  const next = digestWithLists(body.rules, body.lists);
  if (next === digest) return version;
  return { ...version, digest: next, body: encoded(body), options: { ...options, lists } };
}

const encoded = (body: object): Uint8Array => new TextEncoder().encode(JSON.stringify(body));

function versionOf(
  { files, options, clock, streams: own, definitions, counts, forwards = [] }: RuleSetBody,
  of: readonly Compiled[],
  streams: AllStreams,
  lists: ReferenceLists,
): RuleSetVersion {
  const rules = of.map(({ rule }) => rule);
  const body: RuleSetBody = {
    ...{ files, options, clock },
    ...(own === undefined ? {} : { streams: own }),
    ...(definitions === undefined ? {} : { definitions }),
    ...(counts === undefined ? {} : { counts }),
    ...(forwards.length === 0 ? {} : { forwards }),
  };
  const names = own ?? [streams[0].settings.name];
  const fields = [...rules.flatMap((rule) => rule.fields), ...forwards];
  const decoders = new Map(names.map((name) => [name, partsOf(name, streams).decoder(fields)]));
  const [first] = decoders.values();
  const part = counts === undefined ? { rules } : { rules: [], counts: { key: counts, for: rules } };
  const more = counts === undefined ? forwards : countedIn(part, fields);
  const digest = ruleSetDigest(part.rules, options, clock, definitions, more.length === 0 ? undefined : more);
  const bytes = encoded(body);
  const version: RuleSetVersion = {
    ...{ ...part, clock, digest, body: bytes, streams: names },
    ...(forwards.length === 0 ? {} : { forwards }),
    ...(definitions && { definitions: Object.keys(definitions).map((name) => partsOf(name, streams).definition) }),
    options: { ...options, lists },
    decoder: clock.forwarded === true ? forwardedDecoder((name) => ofName(name, decoders)) : first!,
  };
  const asks = rules.some((rule) => rule.lists !== undefined);
  return asks ? listed({ ...version, apart: { digest, body: bytes } }, lists) : version;
}

/** What decides what a version tells that counts features for others: these, and the fields by which it passes events on. */
function countedIn(version: Pick<RuleSetVersion, 'rules' | 'counts'>, fields: readonly string[]): readonly string[] {
  const features = countsFor(version).flatMap(({ otherKeys = [] }) => otherKeys.flatMap((of) => of.features));
  return [...new Set([...features.map(toldName), ...fields])].sort();
}

/** Of one stream alone the name does not matter: it may have had another one when its events were forwarded. */
function ofName(name: string | null, decoders: ReadonlyMap<string, RecordDecoder>): RecordDecoder | null {
  const [first] = decoders.values();
  return decoders.size === 1 || name === null ? first! : (decoders.get(name) ?? null);
}

function partsOf(name: string, streams: AllStreams): StreamParts {
  const found = streams.find(({ settings }) => settings.name === name);
  if (found === undefined) throw new RuleSetError(`the settings have no stream ${name} any more`);
  return found;
}

/** `lists`: null: any may be asked. */
function compiled(
  source: RuleSource,
  streams: AllStreams,
  lists: ReferenceLists | null,
  known = new ParsedRules(),
): Rule {
  const { file, drains } = source;
  const { rule, diagnostics } = parsed(source, streams, lists, known);
  if (rule !== null) return drains === true ? { ...rule, drains } : rule;
  const why = diagnostics.find(({ severity }) => severity === 'error');
  throw new RuleSetError(`${file} does not hold any more: ${why?.message ?? 'unknown error'}`);
}

function parsed(source: RuleSource, streams: AllStreams, lists: ReferenceLists | null, known: ParsedRules): ParsedRule {
  const { file, text } = source;
  const of = lists === null ? {} : { lists: lists.known };
  return known.get(source, () => parseRule(text, file, ruleStreamsOf(streams), of));
}
