import { createHash } from 'node:crypto';
import { canonicalJson } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { RecordDecoder } from '../ports/decoder.js';
import type { EventClockOptions } from '../task/event-clock.js';
import type { RuleOptions } from '../task/keyed-engine.js';

/** Rules with all else that decides what they find in the same records. */
export interface RuleSetVersion {
  /**
   * 32 hex digits of SHA-256 over the rules' revisions and what becomes of the runs of those before, in their order, their options and
   * the stream's clock, and what their lists hold.
   */
  readonly digest: string;
  /** What `ReadRuleSet` makes the same of, in this process or in a later one. */
  readonly body: Uint8Array;
  readonly rules: readonly Rule[];
  readonly options: RuleOptions;
  readonly clock: EventClockOptions;
  /** Names of the streams whose events come, in the order of the settings. Absent: the stream of the records. */
  readonly streams?: readonly string[];
  /** Decodes the fields that these rules use. */
  readonly decoder: RecordDecoder;
}

/** Makes a version of the body that the journal holds. Throws when this release cannot read it, or its rules hold no more. */
export type ReadRuleSet = (body: Uint8Array) => Promise<RuleSetVersion>;

/** Whether events that were read for `before` have all that `after` looks at. */
export function readsNoMore(after: RuleSetVersion, before: RuleSetVersion): boolean {
  const read = new Set(before.rules.flatMap(({ fields }) => fields));
  const streams = before.streams ?? [];
  return (
    after.rules.every(({ fields }) => fields.every((field) => read.has(field))) &&
    (after.streams ?? []).every((stream) => streams.includes(stream))
  );
}

/** See `RuleSetVersion.digest`. `lists`: digests of the lists that the rules ask, by name. */
export function ruleSetDigest(
  rules: readonly Rule[],
  options: RuleOptions,
  clock: EventClockOptions,
  lists: Readonly<Record<string, string>> = {},
): string {
  const revisions = rules.map(({ id, revision, onUpdate, drains }) => ({ id, revision, onUpdate, drains }));
  const { limits, quantifierGap } = options;
  const asked = Object.keys(lists).length === 0 ? {} : { lists };
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify({ revisions, limits, quantifierGap, clock, ...asked }))))
    .digest('hex')
    .slice(0, 32);
}
