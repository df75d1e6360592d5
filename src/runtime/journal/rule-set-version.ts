import { createHash } from 'node:crypto';
import { canonicalJson } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { RecordDecoder } from '../ports/decoder.js';
import type { StreamDefinition } from '../stream.js';
import type { RuleOptions } from '../task/keyed/keyed-engine.js';
import type { EventClockOptions } from '../task/order/event-clock.js';

/** Rules with all else that decides what they find in the same records. */
export interface RuleSetVersion {
  /**
   * 32 hex digits of SHA-256 over the rules' revisions and what becomes of the runs of those before, in their order, their options,
   * the stream's clock, the definitions of streams that were registered, and what their lists hold.
   */
  readonly digest: string;
  /** What `ReadRuleSet` makes the same of, in this process or in a later one. */
  readonly body: Uint8Array;
  /**
   * The same without what its lists hold, where it asks lists: `body` names it then by its digest. Versions that have it in common
   * differ in what their lists hold alone.
   */
  readonly apart?: { readonly digest: string; readonly body: Uint8Array };
  readonly rules: readonly Rule[];
  /** Rules that run elsewhere, on the events that are passed on from here: of which their features of one key are counted here. Absent: none. */
  readonly counts?: { readonly key: string; readonly for: readonly Rule[] };
  /** Fields that none of the rules reads, by which events are forwarded. Absent: none. */
  readonly forwards?: readonly string[];
  readonly options: RuleOptions;
  readonly clock: EventClockOptions;
  /** Names of the streams whose events come, in the order of the settings. Absent: the stream of the records. */
  readonly streams?: readonly string[];
  /** What fields mean in those of them that were registered or changed while the service ran. */
  readonly definitions?: readonly StreamDefinition[];
  /** Decodes the fields that these rules use. */
  readonly decoder: RecordDecoder;
}

/**
 * Makes a version of the body that the journal holds. Throws when this release cannot read it, or its rules hold no more. `bodyOf`: of
 * another digest.
 */
export type ReadRuleSet = (
  body: Uint8Array,
  bodyOf: (digest: string) => Promise<Uint8Array | undefined>,
) => Promise<RuleSetVersion>;

/** All rules that have a part in it: a version has those that run, or those that it counts for. */
export const rulesOf = ({ rules, counts }: Pick<RuleSetVersion, 'rules' | 'counts'>): readonly Rule[] =>
  counts?.for ?? rules;

/** Of the rules that a version counts for, the features that it does; see `KeyedEngineOptions`. */
export const countsFor = ({ counts }: Pick<RuleSetVersion, 'counts'>): readonly Pick<Rule, 'otherKeys'>[] =>
  (counts?.for ?? []).map(({ otherKeys = [] }) => ({ otherKeys: otherKeys.filter(({ key }) => key === counts!.key) }));

const fieldsOf = (version: RuleSetVersion): readonly string[] => [
  ...rulesOf(version).flatMap(({ fields }) => fields),
  ...(version.forwards ?? []),
];

/** Whether events that were read for `before` have all that `after` looks at. */
export function readsNoMore(after: RuleSetVersion, before: RuleSetVersion): boolean {
  const read = new Set(fieldsOf(before));
  const streams = before.streams ?? [];
  return (
    fieldsOf(after).every((field) => read.has(field)) &&
    (after.streams ?? []).every((stream) => streams.includes(stream))
  );
}

/** Whether the one differs from the other in what its lists hold alone, so that what was compiled for it does for the other. */
export const differsInLists = (a: RuleSetVersion, b: RuleSetVersion): boolean =>
  a.digest !== b.digest && a.apart !== undefined && a.apart.digest === b.apart?.digest && a.decoder === b.decoder;

/** See `RuleSetVersion.digest`; of rules that ask no lists. `more`: what it does for others: features that are counted, fields by which events are forwarded. */
export function ruleSetDigest(
  rules: readonly Rule[],
  options: RuleOptions,
  clock: EventClockOptions,
  definitions?: object,
  more?: readonly string[] | undefined,
): string {
  const revisions = rules.map(({ id, revision, onUpdate, drains }) => ({ id, revision, onUpdate, drains }));
  const { limits, quantifierGap } = options;
  return digestOf({ revisions, limits, quantifierGap, clock, definitions, more });
}

/** The digest of rules that ask lists, of the digest that they have without. `lists`: digests of those by name. */
export const digestWithLists = (rules: string, lists: Readonly<Record<string, string>>): string =>
  digestOf({ rules, lists });

const digestOf = (value: object): string =>
  createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(value))))
    .digest('hex')
    .slice(0, 32);
