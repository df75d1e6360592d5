import { parseRule, type Rule } from '../../rules/index.js';
import { type ReadRuleSet, type RuleSetVersion, ruleSetDigest } from '../../runtime/journal/rule-set-version.js';
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
}

export class RuleSetError extends Error {
  readonly code = 'RULE_SET';
}

/** The rule set that these rules and settings make. Throws `RuleSetError` when a rule does not hold for the stream's schema. */
export function ruleSetOf(sources: readonly RuleSource[], settings: Settings, stream: StreamParts): RuleSetVersion {
  return versionOf({ files: sources, options: ruleOptionsOf(settings.engine), clock: stream.definition.clock }, stream);
}

/** Reads rule sets that were in force before. They are checked against today's schema of the stream. */
export function ruleSetReader(stream: StreamParts): ReadRuleSet {
  return async (body) => versionOf(JSON.parse(new TextDecoder().decode(body)) as RuleSetBody, stream);
}

function versionOf(body: RuleSetBody, stream: StreamParts): RuleSetVersion {
  const { files, options, clock } = body;
  const rules = files.map((source) => compiled(source, stream));
  return {
    ...{ rules, options, clock },
    digest: ruleSetDigest(rules, options, clock),
    body: new TextEncoder().encode(JSON.stringify({ files, options, clock } satisfies RuleSetBody)),
    decoder: stream.decoder(rules.flatMap((rule) => rule.fields)),
  };
}

function compiled({ file, text }: RuleSource, stream: StreamParts): Rule {
  const { rule, diagnostics } = parseRule(text, file, stream.schema);
  if (rule !== null) return rule;
  const why = diagnostics.find(({ severity }) => severity === 'error');
  throw new RuleSetError(`${file} does not hold any more: ${why?.message ?? 'unknown error'}`);
}
