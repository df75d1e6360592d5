import type { Rule } from '../../rules/rule.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import type { SpillOptions } from '../keys/windows/window-spill.js';
import type { Alert } from '../ports/alert.js';
import type { Clock } from '../ports/clock.js';
import type { DecodeFailure } from '../ports/decoder.js';
import type { LogRecord, TopicPartition } from '../ports/log.js';
import type { NearMissRecord } from '../ports/near-miss.js';
import type { StateBatch } from '../ports/state-store.js';
import type { Forwarder } from '../repartition/forwarder.js';
import type { StreamDefinition } from '../stream.js';
import type { Pseudonyms } from './alert/pseudonyms.js';
import type { Compilers } from './compilers.js';
import type { StoppedRule } from './keyed/quarantine.js';

/** What a task tells and gives out. While it replays, nothing is given out. */
export interface TaskOutput {
  /** `isShadow`: of a rule whose alerts are kept apart. */
  onAlert(alert: Alert, recordKey: Uint8Array | null, traceparent: string | null, isShadow: boolean): void;
  /** Of rules that ask for it. */
  onNearMiss?(nearMiss: NearMissRecord, recordKey: Uint8Array): void;
  onDeadLetter(record: LogRecord, failure: DecodeFailure): void;
  onLate(record: LogRecord, eventTime: number, watermark: number): void;
  onMatch(rule: Rule): void;
  onRunsDropped(rule: Rule, key: string, runs: number): void;
  onMatchesDropped(rule: Rule, key: string, matches: number): void;
  /** A rule is stopped in this partition. */
  onQuarantined?(stopped: StoppedRule): void;
}

export interface TaskOptions {
  readonly partition: TopicPartition;
  readonly stream: StreamDefinition;
  /** All streams, of which events may be forwarded. Absent: that one. */
  readonly streams?: readonly StreamDefinition[];
  readonly ruleSet: RuleSetVersion;
  readonly clock: Clock;
  readonly output: TaskOutput;
  /** Where its events go again, keyed otherwise. */
  readonly forwarder?: Forwarder | null;
  /** Most keys (for each key field) whose state is kept as objects. Changes no result. */
  readonly hotKeysMax?: number;
  /** Bounds the memory of windows of features. Changes no result. */
  readonly spill?: SpillOptions | undefined;
  /** Shared with the other tasks of the thread; absent: patterns are compiled for this one. */
  readonly compilers?: Compilers;
  /** What stands for personal values in alerts and near misses; absent: the values themselves. */
  readonly pseudonyms?: Pseudonyms | undefined;
  /** Keys that go over to the rules of now, or are read of those that were restored, in one go. Changes no result. */
  readonly handedOverAtOnce?: number;
}

/** What belongs to one moment of a task; taken at once, written later. */
export interface TaskSnapshot {
  readonly position: number;
  /** Makes the bytes, in slices with a `turn` for other work between them: the states in it never change, so this can wait. */
  encode(turn: () => Promise<void>): Promise<StateBatch>;
  /** It could not be stored: what changed counts as changed again. */
  revert(): void;
}

const nothing = (): void => undefined;
/** For who only wants the state that follows. */
export const SILENT: TaskOutput = {
  ...{ onAlert: nothing, onDeadLetter: nothing, onLate: nothing },
  ...{ onMatch: nothing, onRunsDropped: nothing, onMatchesDropped: nothing },
};
