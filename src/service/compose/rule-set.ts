import { parseRule, type Rule } from '../../rules/index.js';
import { type ReadRuleSet, type RuleSetVersion, ruleSetDigest } from '../../runtime/journal/rule-set-version.js';
import type { KeptLists } from '../../runtime/lists/kept-lists.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import { forwardedDecoder } from '../../runtime/repartition/forwarded-decoder.js';
import { type Route, routeTopic } from '../../runtime/repartition/route.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { EventClockOptions } from '../../runtime/task/event-clock.js';
import { type RuleOptions, ruleOptionsOf } from '../../runtime/task/keyed-engine.js';
import type { RuleSource } from './rules.js';
import type { StreamParts } from './stream-parts.js';

/** A rule set as the journal holds it: all that is needed to run it again, but for the stream's schema. JSON. */
interface RuleSetBody {
  readonly files: readonly RuleSource[];
  readonly options: RuleOptions;
  readonly clock: EventClockOptions;
  /** Digests of the lists that the rules ask, by name. */
  readonly lists?: Readonly<Record<string, string>>;
}

export class RuleSetError extends Error {
  readonly code = 'RULE_SET';
}

export interface RuleSets {
  /** Runs where the records are read. */
  readonly source: RuleSetVersion;
  /** Keyed by other fields than the topic is, one for each. */
  readonly routes: readonly Route[];
  /** Rules of another key that run where the records are read, which is right with one partition alone. */
  readonly needsOnePartition: boolean;
}

interface Compiled {
  readonly source: RuleSource;
  readonly rule: Rule;
}

/** The rule sets that these rules, settings and lists make. Throws `RuleSetError` when a rule does not hold for the stream's schema. */
export function ruleSetsOf(
  sources: readonly RuleSource[],
  settings: Settings,
  stream: StreamParts,
  lists: ReferenceLists,
): RuleSets {
  const rules = sources.map((source) => ({ source, rule: compiled(source, stream, lists) }));
  const { keyField, clock } = stream.definition;
  const { partitions } = stream.settings;
  const isForeign = ({ rule }: Compiled): boolean => keyField !== null && rule.key !== keyField;
  const routed = partitions > 1 ? rules.filter(isForeign) : [];
  const fields = [...new Set(routed.map(({ rule }) => rule.key))];
  const options = ruleOptionsOf(settings.engine);
  const make = (of: readonly Compiled[], at: EventClockOptions, more: readonly string[] = []) =>
    versionOf({ files: of.map(({ source }) => source), options, clock: at }, of, stream, lists, more);
  return {
    source: make(
      rules.filter((one) => !routed.includes(one)),
      clock,
      fields,
    ),
    routes: fields.map((field) => ({
      field,
      topic: { name: routeTopic(stream.settings.topic ?? stream.settings.name, field), partitions },
      ruleSet: make(
        routed.filter(({ rule }) => rule.key === field),
        { ...clock, outOfOrdernessMs: 0, forwarded: true },
      ),
    })),
    needsOnePartition: routed.length === 0 && rules.some(isForeign),
  };
}

/** Reads rule sets that were in force before. They are checked against today's schema of the stream, and ask their lists as they were. */
export function ruleSetReader(stream: StreamParts, today: ReferenceLists, kept: KeptLists): ReadRuleSet {
  return async (bytes) => {
    const body = JSON.parse(new TextDecoder().decode(bytes)) as RuleSetBody;
    const lists = await kept.asOf(body.lists ?? {}, today);
    const rules = body.files.map((source) => ({ source, rule: compiled(source, stream, lists) }));
    return versionOf(body, rules, stream, lists, []);
  };
}

/** `more`: fields that others than these rules read. */
function versionOf(
  { files, options, clock }: RuleSetBody,
  of: readonly Compiled[],
  stream: StreamParts,
  lists: ReferenceLists,
  more: readonly string[],
): RuleSetVersion {
  const rules = of.map(({ rule }) => rule);
  const asked = lists.digests(rules.flatMap((rule) => rule.lists ?? []));
  const body: RuleSetBody = { files, options, clock, ...(Object.keys(asked).length === 0 ? {} : { lists: asked }) };
  const decoder = stream.decoder([...rules.flatMap((rule) => rule.fields), ...more]);
  return {
    ...{ rules, clock },
    options: { ...options, lists },
    digest: ruleSetDigest(rules, options, clock, asked),
    body: new TextEncoder().encode(JSON.stringify(body)),
    decoder: clock.forwarded === true ? forwardedDecoder(decoder) : decoder,
  };
}

function compiled({ file, text }: RuleSource, stream: StreamParts, lists: ReferenceLists): Rule {
  const { rule, diagnostics } = parseRule(text, file, stream.schema, { lists: lists.known });
  if (rule !== null) return rule;
  const why = diagnostics.find(({ severity }) => severity === 'error');
  throw new RuleSetError(`${file} does not hold any more: ${why?.message ?? 'unknown error'}`);
}
