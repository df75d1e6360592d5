import type { Expr, Feature } from '../engine/expression/expression.js';
import type { Pattern } from '../engine/pattern/pattern.js';
import type { Limits } from '../engine/ruleset/slot-state.js';
import type { NamedFeature } from '../engine/ruleset/telling.js';

export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** `draft` is only validated and tested; `shadow` runs with its alerts apart; `retired` does not run. */
export type RuleStatus = 'draft' | 'shadow' | 'live' | 'retired';

/**
 * What becomes of runs under way when a rule is changed: `keep` them, under the new revision; `restart`: forget them; `drain`: they
 * end under the old revision, and new ones begin under the new one; `backfill`: the new revision is filled from the log, as far back as its
 * windows reach, before it comes into force.
 */
export type OnUpdate = 'keep' | 'restart' | 'drain' | 'backfill';

/** A piece of an alert's message: text, or a value to be filled in when the match is there. */
export type MessagePart =
  | { readonly kind: 'text'; readonly text: string }
  /** A field of the first (`index` 0) or last (`index` -1) event of a step. */
  | { readonly kind: 'field'; readonly step: string; readonly index: 0 | -1; readonly field: string }
  /** A statistic over a step's events; `field` is absent for `count`. */
  | {
      readonly kind: 'aggregate';
      readonly fn: 'count' | 'sum' | 'avg' | 'min' | 'max';
      readonly step: string;
      readonly field?: string;
    }
  /** The value of one of the rule's `values`. */
  | { readonly kind: 'value'; readonly index: number }
  /** `key`: the key's value; `duration`: first to last event, as people say it ("3 m 20 s"). */
  | { readonly kind: 'key' | 'duration' };

/** How the key of an event is taken from it. */
export type KeyBy =
  | { readonly form: 'one'; readonly field: string }
  /** Values of several fields together, all of which must be there. */
  | { readonly form: 'pair'; readonly fields: readonly string[] }
  /** The event counts once for each different value of these fields. */
  | { readonly form: 'each'; readonly fields: readonly string[] }
  /** A field of another name in each stream. */
  | { readonly form: 'by'; readonly streams: Readonly<Record<string, string>> };

/**
 * Features over the events of another key than the rule's, each of which is read at an event for the value of that key which the event
 * has. They are counted by whoever has all events of that key, and told with the event (`EngineEvent.told`).
 */
export interface OtherKey {
  /** The name of the key: `Feature.of` of its features. */
  readonly key: string;
  /** It is one value for each event: no `each`. */
  readonly keyBy: KeyBy;
  /** Names of the streams whose events they count, sorted; empty: the only stream there is. */
  readonly streams: readonly string[];
  /** Those that the rule reads. */
  readonly features: readonly Feature[];
}

/** Which events of a match an alert accuses: the latest one, all, or those that some steps have taken. */
export type Accuses = 'last' | 'all' | readonly string[];

/** A rule: a pattern with all that an analyst says about it. What `rules/` makes of a `pattern.yaml`. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
  readonly status: RuleStatus;
  /** Name of what events are grouped by, one for each meaning: `accountId`, `cardId+deviceId`, `from|to`, `a.x,b.y`. */
  readonly key: string;
  readonly keyBy: KeyBy;
  /** Names of the streams whose events it takes or counts by its own key, sorted; empty: the only stream there is. See `streamsRead`. */
  readonly streams: readonly string[];
  readonly pattern: Pattern;
  readonly alert: {
    readonly severity: Severity;
    /** 0 to 100, or which of `values` it is, brought to these bounds. */
    readonly score: number | { readonly value: number };
    readonly message: readonly MessagePart[];
  };
  /**
   * Expressions that are evaluated when a match is complete: over its events by step, the features as of then, and (bare fields) the
   * event that completed it. The score and parts of the message are among them. Absent: none.
   */
  readonly values?: readonly Expr[];
  /** The features that the rule reads, by its names for them: alerts tell what they were. Absent: none. */
  readonly features?: readonly NamedFeature[];
  /** Those of its features that are of other keys, by key, in the order of the keys' names. Absent: none. */
  readonly otherKeys?: readonly OtherKey[];
  /** For back-tests; it changes no alert and is no part of the revision. Absent: as the back-test says. */
  readonly accuses?: Accuses;
  readonly tags: readonly string[];
  /** How much it may hold for a key, and what happens beyond; what it does not say, the settings do. Absent: they say all. */
  readonly limits?: Partial<Limits>;
  /** Absent: `keep` where the shape is the same, else `restart`. */
  readonly onUpdate?: OnUpdate;
  /** Percent of the keys, by a hash of the key, whose matches become alerts; absent: all. */
  readonly canary?: number;
  /** How often it was let out of quarantine: one more makes another revision, with nothing under way. Absent: never. */
  readonly lifted?: number;
  /** A revision that was replaced: what it has under way goes on to its end, and nothing begins. */
  readonly drains?: boolean;
  /** First 16 hex digits of the SHA-256 of the rule's meaning (not of its text: comments and layout do not count). */
  readonly revision: string;
  /** Where it was read from, for messages. */
  readonly source: string;
  /** Fields of the event that its conditions and message read, its key included; sorted. */
  readonly fields: readonly string[];
  /** Names of the reference lists that its conditions ask; sorted. Absent: none. */
  readonly lists?: readonly string[];
}
