import type { FeatureRow } from '../engine/index.js';
import type { RuleText } from '../rules/index.js';
import type { Rule } from '../rules/rule.js';
import type { KeyMemory } from './keys/memory.js';
import type { DeliveryMode } from './lane/commit/delivery.js';
import type { ReferenceLists } from './lists/reference-lists.js';
import type { Alert } from './ports/alert.js';
import type { TopicPartition } from './ports/log.js';
import type { ConsideredRecord } from './task/consider-record.js';
import type { StoppedRule } from './task/keyed/quarantine.js';

/**
 * The detection side as the service sees it. `Lane` implements it on a log, a state store and decoders.
 *
 *     created ──start()──▶ starting ──▶ running ⇄ degraded ──stop()──▶ stopping ──▶ stopped
 *                              └────────────── failed ◀────────────┘
 */
export type DetectorPhase = 'created' | 'starting' | 'running' | 'degraded' | 'stopping' | 'stopped' | 'failed';

/** How far rules are that are being filled from the log. */
export interface FillingStatus {
  readonly rules: readonly string[];
  /** First offset that is read, and the next one. */
  readonly from: number;
  readonly position: number;
}

export interface PartitionStatus extends TopicPartition {
  readonly phase: 'restoring' | 'live';
  /** Next offset to process, and the end of the log. */
  readonly position: number;
  readonly endOffset: number;
  /** Event time up to which everything is processed; `null` before the first event. */
  readonly watermark: number | null;
  /** The log's own time of the last record that was processed; `null` before the first. */
  readonly recordTime: number | null;
  /** Highest event time seen. */
  readonly maxEventTime: number | null;
  readonly idle: boolean;
  readonly keys: number;
  readonly runs: number;
  readonly buffered: number;
  readonly memory: KeyMemory;
  /** Rules that are stopped in it, because they exceeded a limit or threw. */
  readonly quarantined?: readonly StoppedRule[];
  /** Digest of the rule set in force. */
  readonly rules?: string;
  /** Offset from which it is in force, as the journal says; absent: it was when this process took the partition. */
  readonly rulesFrom?: number;
  /** Rules that are being filled from the log, and come into force then; absent: none. */
  readonly filling?: FillingStatus;
  /** The number of the lane that has it, where lanes are threads of their own. */
  readonly lane?: number;
}

/** A thread that has a lane: counters since the thread was started, but for `restarts`. */
export interface LaneLoad {
  readonly lane: number;
  /** How often a thread took the place of one that ended, since the start of the process. */
  readonly restarts: number;
  /** Seconds in which it had something to do. */
  readonly busySeconds: number;
  readonly gcSeconds: number;
  readonly gcPauses: number;
  /** The longest time, in seconds, that its event loop was held up lately. */
  readonly loopDelaySeconds: number;
  readonly heapBytes: number;
}

/** Counters since the start of the process; gauges as of now. */
export interface DetectorStatus {
  readonly phase: DetectorPhase;
  /** Why it is degraded or failed, in words. */
  readonly trouble: string | null;
  readonly recordsIn: number;
  readonly recordsReplayed: number;
  readonly late: number;
  readonly deadLettered: number;
  readonly alerts: number;
  /** Matches by pattern id. */
  readonly matches: ReadonlyMap<string, number>;
  /** How often each pattern had to look at an event of a key, by its id: what it costs. Those that do the same are stepped as one. */
  readonly steps: ReadonlyMap<string, number>;
  /** Partial matches alive by pattern, as far as its keys were looked at (`RunCensus`). Absent: not known. */
  readonly runs?: ReadonlyMap<string, number>;
  /** Partial matches that ended one step short, of rules that ask for it. */
  readonly nearMisses: number;
  readonly runsDropped: number;
  readonly matchesDropped: number;
  /** Seconds in which no input was taken, because too much that was given out was not durable yet. */
  readonly backpressureSeconds: number;
  /** Records that were given out, and are not durable or not committed yet. */
  readonly outputsWaiting: number;
  /** Lanes that are threads of their own; absent: detection runs in the main thread. */
  readonly lanes?: readonly LaneLoad[];
  readonly partitions: readonly PartitionStatus[];
}

/** What the detector tells as it happens. Every method is called synchronously and must not throw. */
export interface DetectorListener {
  /** An alert is durable on the alerts topic. `traceparent`: of the record that completed it, where it had one. */
  onAlert?(alert: Alert, traceparent: string | null): void;
  onPhase?(phase: DetectorPhase, trouble: string | null): void;
  onPartitions?(partitions: readonly TopicPartition[], change: 'assigned' | 'live' | 'revoked' | 'lost'): void;
  onDeadLetter?(from: TopicPartition, offset: number, reason: string, detail: string): void;
  /** A rule was stopped in a partition: live, or when it was replayed. */
  onQuarantined?(from: TopicPartition, stopped: StoppedRule): void;
  /** A batch was processed: number of records and the seconds it took. */
  onBatch?(records: number, seconds: number): void;
  /** `ok: false` is retried. */
  onCommit?(seconds: number, ok: boolean): void;
}

/** A record that is not in the log, and the partition that it would be in. */
export interface Question extends TopicPartition {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  /** There is no record: what a rule's features are for a key is asked instead. */
  readonly featuresOf?: FeatureQuestion;
}

export interface FeatureQuestion {
  readonly pattern: string;
  readonly key: string;
  /**
   * `key` is a value of another key than the rule's, and the rule's features of that key are asked: what they are called where they are
   * told with events (`toldName`), by the rule's names for them. Absent: it is the rule's own key.
   */
  readonly told?: Readonly<Record<string, string>>;
  /** How many of the newest events behind each feature are wanted; absent: none. */
  readonly events?: number;
}

/** What the features that a rule reads are for a key, by its names for them; `null`: missing. Times are event time. */
export interface KeyFeatures {
  /** Something is known of the key. */
  readonly isKnown: boolean;
  readonly features: Readonly<Record<string, string | number | boolean | null>>;
  /** The newest events that each of them counts, the newest first; absent: they were not asked for. */
  readonly events?: Readonly<Record<string, readonly FeatureRow[]>>;
}

/** What a record would do if it came next. */
export interface Consideration extends ConsideredRecord {
  /** The answer to `Question.featuresOf`; `null`: the rule does not run there. */
  readonly keyFeatures?: KeyFeatures | null;
  /** Where the event would be forwarded, for rules that are keyed otherwise: to be asked, too. */
  readonly forwards: readonly Question[];
}

/** The partition is not owned here, or not live yet. */
export interface Elsewhere {
  /** URL at which its owner can be asked; `null`: nobody knows, or it is this one. */
  readonly elsewhere: string | null;
}

/** A record that cannot be processed: it would be a dead letter. */
export class UnreadableError extends Error {
  readonly code = 'UNREADABLE';
}

export interface Detector {
  start(): Promise<void>;
  /** Finishes and commits what it holds, then gives up its partitions. */
  stop(): Promise<void>;
  /**
   * Commits what was processed, and has all of its state stored, for a savepoint. Rejects when that cannot be now. Absent: state is
   * stored now and then alone.
   */
  storeNow?(): Promise<void>;
  status(): DetectorStatus;
  rules(): readonly Rule[];
  /**
   * Other rules, which each partition goes over to as soon as it can. `rules`: what `sources` were compiled to.
   * Resolves when they are on their way to all partitions. Absent: rules do not change while it runs.
   */
  changeRules?(sources: readonly RuleText[], rules: readonly Rule[]): Promise<void>;
  /**
   * Other reference lists, in the same way. Absent: lists do not change while it runs.
   */
  changeLists?(lists: ReferenceLists['data']): Promise<void>;
  /**
   * What a record would do if it came next, from the very state that the stream goes on with; nothing is changed. Rejects with
   * `UnreadableError`. Absent: it cannot be asked.
   */
  consider?(question: Question): Promise<Consideration | Elsewhere>;
  /** Of these streams nothing is read until they are left out of a later call. Absent: all are always read. */
  pauseStreams?(names: readonly string[]): Promise<void>;
  /** Has the lane that owns the partition finish, commit, and start again. Absent: it cannot be started again by itself. */
  restart?(partition: TopicPartition, why: Error): void;
  /** How alerts are delivered; takes effect with the next one. */
  delivery(): DeliveryMode;
  setDelivery(mode: DeliveryMode): void;
}
