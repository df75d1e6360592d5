/** What the service answers with, as far as the console looks at it. Times are milliseconds since 1970 unless they are texts. */

import type { Diagnostic, RuleStatus, Severity } from './authoring-types.js';

export type Verdict = 'true' | 'false' | 'unsure';

export interface AlertEvent {
  readonly id: string;
  readonly eventTime: number;
  readonly kind: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What the condition of its step read at it, by how it is written there. */
  readonly values?: Readonly<Record<string, string | number | boolean | null>>;
}

export interface AlertStep {
  readonly step: string;
  readonly events: readonly AlertEvent[];
}

export interface Alert {
  readonly id: string;
  readonly patternId: string;
  readonly title: string;
  readonly revision: string;
  readonly severity: Severity;
  readonly score: number;
  readonly key: string;
  readonly keyField: string;
  readonly firstEventTime: number;
  readonly lastEventTime: number;
  readonly detectedAt: number;
  readonly message: string;
  readonly features?: Readonly<Record<string, unknown>>;
  readonly steps: readonly AlertStep[];
  /** Absent of those that have just come. */
  readonly state?: 'open' | 'confirmed' | 'dismissed' | 'unsure' | 'snoozed';
}

export interface Feedback {
  readonly id: string;
  readonly verdict: Verdict;
  readonly note: string;
  readonly author: string;
  readonly at: number;
}

export interface AlertDetail extends Alert {
  /** The newest first. */
  readonly feedback: readonly Feedback[];
  /** Others of the same key, the newest first. */
  readonly related: readonly Alert[];
}

/** Alerts of one key and pattern together. */
export interface AlertGroup {
  readonly key: string;
  readonly patternId: string;
  readonly count: number;
  readonly open: number;
  readonly scoreMax: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly last: Alert;
}

export interface Provider {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  readonly resource: string | null;
}

/** How one signs in. */
export interface Login {
  readonly required: boolean;
  readonly keys: boolean;
  readonly provider: Provider | null;
}

export interface Me {
  readonly name: string;
  readonly role: string;
  /** `none`: nobody has to say who they are. */
  readonly by: 'none' | 'key' | 'token';
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface Stopped {
  readonly topic: string;
  readonly partition: number;
  readonly reason: string;
  readonly detail: string;
}

export interface Pattern {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly status: RuleStatus;
  readonly key: string;
  readonly severity: Severity;
  readonly score: number | null;
  readonly steps: readonly string[];
  readonly withinMs: number | null;
  readonly tags: readonly string[];
  readonly revision: string;
  readonly canary: number | null;
  readonly health: {
    readonly matches: number;
    readonly runs: number | null;
    /** Its share of the work of all patterns, 0 to 1. */
    readonly cost: number | null;
    readonly latencyMs: number | null;
    readonly quarantined: readonly Stopped[];
    readonly filling: boolean;
  };
}

export interface PatternDetail extends Pattern {
  /** Null: not known. */
  readonly yaml: string | null;
  readonly file: string;
}

export interface KeyFeatures {
  readonly key: string;
  readonly items: readonly { readonly features: Readonly<Record<string, string | number | boolean | null>> }[];
}

/** A pattern as it was in a revision of its own. */
export interface PatternVersion {
  /** Of the set; null: before anything was published. */
  readonly n: number | null;
  readonly file: string;
  readonly yaml: string;
}

export interface ShadowTotals {
  readonly pattern: string;
  readonly kind: 'live' | 'shadow';
  readonly alerts: number;
  readonly keys: number;
  readonly confirmed: number;
  readonly dismissed: number;
  readonly unsure: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

export interface Shadow {
  readonly from: number;
  readonly to: number;
  readonly shadow: ShadowTotals;
  readonly live: ShadowTotals;
  readonly bothKeys: number;
  readonly onlyShadowKeys: number;
  readonly onlyLiveKeys: number;
}

/** A rule as it was written. */
export interface RuleFile {
  readonly id: string;
  readonly status: RuleStatus;
  readonly revision: string;
  readonly file: string;
  readonly text: string;
  readonly quarantined: readonly Stopped[];
}

export interface RuleText {
  readonly file: string;
  readonly text: string;
}

export interface RulesState {
  readonly revision: number | null;
  readonly pending: readonly number[];
  readonly intact: boolean;
  readonly trouble: string | null;
  readonly counts: Readonly<Record<'draft' | 'shadow' | 'live' | 'canary' | 'retired', number>>;
}

export interface RuleSet extends RulesState {
  readonly rules: readonly RuleFile[];
}

export interface RuleChange {
  readonly id: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly runs: string | null;
}

export interface Revision {
  readonly kind: 'revision' | 'approval';
  readonly n: number;
  readonly at: number;
  readonly author: string;
  readonly message: string;
  readonly state: 'live' | 'pending' | 'replaced';
  readonly rollbackTo: number | null;
  readonly changes: readonly RuleChange[];
  readonly rules: number;
  readonly hash: string;
}

export interface RevisionDetail extends Revision {
  readonly changed: readonly (RuleChange & { readonly before: string | null; readonly after: string | null })[];
  /** Tests of patterns, also of those that are what they were. */
  readonly changedTests: readonly {
    readonly id: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
}

export interface Applied {
  readonly outcome: 'live' | 'pending' | 'unchanged' | 'checked';
  readonly revision: number | null;
  readonly changes: readonly RuleChange[];
  readonly warnings: readonly Diagnostic[];
}

export interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly phase: 'restoring' | 'live';
  readonly lane?: number;
  readonly position: number;
  readonly endOffset: number;
  readonly lag: number;
  readonly watermark: number | null;
  readonly maxEventTime: number | null;
  readonly idle: boolean;
  readonly keys: number;
  readonly runs: number;
  readonly buffered: number;
  readonly memory: {
    readonly hotKeys: number;
    readonly coldKeys: number;
    readonly coldBytes: number;
    readonly tableBytes: number;
  };
  readonly quarantined?: readonly (Stopped & { readonly id: string })[];
  /** Digest of the rule set in force, with what its lists hold; and the offset from which it is. */
  readonly rules?: string;
  readonly rulesFrom?: number;
  readonly filling?: { readonly rules: readonly string[]; readonly from: number; readonly position: number };
}

export interface Checkpoint {
  readonly topic: string;
  readonly partition: number;
  readonly position: number | null;
  readonly at: number | null;
  readonly bytesWritten: number;
  readonly failedInRow: number;
  readonly degraded: boolean;
  readonly lastFailure: string | null;
}

export interface Status {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly log: 'kafka' | 'embedded';
  readonly detector: {
    readonly phase: string;
    readonly trouble: string | null;
    readonly recordsIn: number;
    readonly recordsReplayed: number;
    readonly late: number;
    readonly deadLettered: number;
    readonly alerts: number;
    readonly runsDropped: number;
    readonly matchesDropped: number;
    readonly matches: Readonly<Record<string, number>>;
    readonly partitions: readonly Partition[];
  } | null;
  readonly sinks: readonly {
    readonly name: string;
    readonly state: string;
    readonly trouble: string | null;
    readonly written: number;
    readonly lag: number;
  }[];
  readonly checkpoints: readonly Checkpoint[];
  readonly patterns: number;
  readonly rules: RulesState | null;
  readonly alertsHeld: number;
  readonly alertsTrouble: string | null;
}

export interface Stream {
  readonly name: string;
  readonly topics: readonly string[];
  readonly format: string;
  readonly key: string | null;
  /** How far its table is read; `null`: it is none. */
  readonly table: StreamTable | null;
  readonly paused: boolean;
}

export interface StreamTable {
  readonly state: 'waiting' | 'feeding' | 'paused' | 'done';
  readonly rows: number;
  readonly doneAt: number | null;
  readonly trouble: string | null;
}

export interface ReferenceList {
  readonly name: string;
  readonly kind: 'set' | 'map';
  readonly entries: number;
  /** Names what it holds. */
  readonly digest: string;
  readonly source: string | null;
  readonly trouble: string | null;
  readonly changed: { readonly at: number; readonly author: string; readonly message: string } | null;
  readonly usedBy: readonly string[];
}

export interface ListEntry {
  readonly key: string;
  /** Null: the list is a set. */
  readonly value: string | null;
}

export interface Snooze {
  readonly id: string;
  readonly key: string;
  /** Null: in all patterns. */
  readonly pattern: string | null;
  readonly until: number;
  readonly reason: string;
  readonly author: string;
  readonly at: number;
}

export interface Lane {
  readonly lane: number;
  readonly lag: number;
  readonly load: {
    readonly restarts: number;
    readonly busySeconds: number;
    readonly gcSeconds: number;
    readonly loopDelaySeconds: number;
    readonly heapBytes: number;
  } | null;
  readonly partitions: readonly (Partition & { readonly checkpoint: Checkpoint | null })[];
}

export interface Lanes {
  readonly phase: string;
  readonly trouble: string | null;
  readonly items: readonly Lane[];
}

export interface Savepoint {
  readonly name: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly keysWritten: number;
  readonly error: string | null;
  readonly savepoint: { readonly path: string; readonly bytes: number; readonly createdAt: string } | null;
}

export interface RanTests {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly { readonly test: string; readonly line: number; readonly message: string }[];
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

export interface BacktestResult {
  /** Null: there was nothing to compare with. */
  readonly comparison: Readonly<Record<'common' | 'new' | 'lost', { readonly accused: number }>> | null;
}

export interface ConditionPart {
  readonly condition: string;
  readonly holds: boolean;
  readonly kind: 'all' | 'any' | 'not' | 'test';
  readonly parts?: readonly ConditionPart[];
  readonly said: string;
}

export interface ExplainedEvent {
  readonly id: string;
  readonly eventTime: number;
  readonly kind: string;
}

export interface ToldEvent {
  readonly event: ExplainedEvent;
  readonly condition: ConditionPart | null;
}

export interface ExplainedRun {
  readonly reached: number;
  readonly of: number;
  readonly taken: readonly (ToldEvent & { readonly step: string })[];
  readonly awaited: readonly { readonly step: string; readonly passed: number; readonly nearest: ToldEvent | null }[];
  readonly end: { readonly why: string; readonly at: number | null };
  readonly said: string;
  readonly timeline: readonly { readonly time: number; readonly text: string }[];
}

/** Why a rule fired for a key, or why it did not. */
export interface Explanation {
  readonly pattern: string;
  readonly title: string;
  readonly status: string;
  readonly key: string;
  readonly keyField: string;
  readonly at: number;
  readonly from: number | null;
  readonly fired: boolean;
  readonly summary: string;
  readonly alerts: readonly Alert[];
  readonly events: number;
  readonly runsSeen: number;
  readonly runs: readonly ExplainedRun[];
  readonly begins: readonly { readonly step: string; readonly passed: number; readonly nearest: ToldEvent | null }[];
  readonly notes: readonly string[];
}

export interface Backtest {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly title: string | null;
  readonly progress: {
    readonly fraction: number;
    readonly events: number;
    readonly eventsPerSecond: number;
    readonly secondsLeft: number | null;
  } | null;
  readonly summary: {
    readonly events: number;
    readonly alerts: number;
    readonly precision: number | null;
    readonly recall: number | null;
    readonly f1: number | null;
    readonly digest: string;
    readonly parity: boolean | null;
  } | null;
  readonly error: string | null;
}

export type * from './authoring-types.js';
