import { createHash } from 'node:crypto';
import { compileRuleSet } from '../../engine/index.js';
import type { KeyBy, Rule } from '../../rules/rule.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import { NO_LISTS } from '../lists/reference-lists.js';
import type { TopicSpec } from '../ports/log.js';

/**
 * Rules that are keyed otherwise than their stream's topic is, or that join several streams: every event with that key is written again
 * to a topic that is keyed so, once for each of its keys, in the transaction of the offsets it came from, and the rules run there.
 */
export interface Route {
  /** The key's name: `Rule.key`. */
  readonly field: string;
  /** Absent: the field of that name. */
  readonly keyBy?: KeyBy;
  /** The streams whose events go there. Absent: the only one. */
  readonly streams?: readonly string[];
  /** The topic that events are passed on from, whose partitions count features for the rules here, or for those behind. Absent: events come from the streams. */
  readonly from?: string;
  /** As many partitions as the sources have at most, where it has to be made. */
  readonly topic: TopicSpec;
  /** Its decoder reads forwarded events; see `forwardedDecoder`. */
  readonly ruleSet: RuleSetVersion;
}

/** How long after an event one of these rules may still wait for time to pass, in ms. */
export function longestWindow(ruleSets: readonly RuleSetVersion[]): number {
  return Math.max(0, ...ruleSets.map(({ rules }) => windowOf(rules)));
}

/** By the rules: they are the same objects where lists alone have changed. */
const windows = new WeakMap<readonly Rule[], number>();

function windowOf(rules: readonly Rule[]): number {
  const known = windows.get(rules);
  if (known !== undefined) return known;
  // No event is looked at: it does not matter what lists hold.
  const patterns = rules.length === 0 ? [] : compileRuleSet(rules, { lists: NO_LISTS }).patterns;
  const longest = Math.max(0, ...patterns.map(({ windowMs }) => windowMs));
  windows.set(rules, longest);
  return longest;
}

/** Longest name that Kafka allows. */
const NAME_MAX = 249;

/** Name of the topic that holds the events of a topic, or of the streams that a group joins, by another key. */
export function routeTopic(source: string, key: string): string {
  const words = key.replaceAll('+', '-and-').replaceAll('|', '-or-').replaceAll(',', '-and-');
  const name = `${source}-by-${words.replace(/[^A-Za-z0-9._-]/g, '_')}`;
  if (name.length <= NAME_MAX) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${name.slice(0, NAME_MAX - 17)}-${digest}`;
}
