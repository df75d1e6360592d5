import type { RuleText } from '../../rules/index.js';
import type { ChunkSizes } from '../chunked/chunk-sizes.js';
import type { DetectorListener } from '../detector.js';
import type { ReadRuleSet, RuleSetVersion } from '../journal/rule-set-version.js';
import type { SpillOptions } from '../keys/windows/window-spill.js';
import type { ReferenceLists } from '../lists/reference-lists.js';
import type { Clock } from '../ports/clock.js';
import type { GroupOptions, Log, TopicSelection, TopicSpec } from '../ports/log.js';
import type { AlertEncoder } from '../ports/outputs.js';
import type { StateStore } from '../ports/state-store.js';
import type { Route } from '../repartition/route.js';
import type { StreamDefinition } from '../stream.js';
import type { Pseudonyms } from '../task/alert/pseudonyms.js';
import type { Compilers } from '../task/compilers.js';
import type { DeliveryMode } from './commit/delivery.js';
import type { LaneRules } from './routing.js';

/** A stream that is read beside the first. */
export interface LaneStream {
  readonly definition: StreamDefinition;
  readonly topics: TopicSelection;
  /** As `LaneOptions.source`. */
  readonly source: TopicSpec | null;
  /** Runs where its records are read. */
  readonly ruleSet: RuleSetVersion;
}

/** What a lane is made of. */
export interface LaneOptions {
  readonly log: Log;
  readonly store: StateStore;
  readonly clock: Clock;
  /** The first stream, read from `group.topics`. */
  readonly stream: StreamDefinition;
  /** Further streams. */
  readonly others?: readonly LaneStream[];
  readonly group: GroupOptions;
  readonly ruleSet: RuleSetVersion;
  /** Rules that are keyed otherwise than their stream is, or that join several. */
  readonly routes?: readonly Route[];
  /** Rules of another key run where the records are read: refused while the source has several partitions. */
  readonly needsOnePartition?: boolean;
  /** Makes rules of their texts, with turns for other work; absent: they cannot be changed by their texts. */
  readonly compileRules?: (sources: readonly RuleText[]) => Promise<LaneRules>;
  /** The rules that were made last, with other lists. Absent: lists cannot be changed. */
  readonly withLists?: (lists: ReferenceLists['data']) => LaneRules;
  /** Names of streams that are not read until `pauseStreams`. */
  readonly pausedStreams?: readonly string[];
  /** For what the journal says was in force before. */
  readonly readRuleSet: ReadRuleSet;
  readonly encoder: AlertEncoder;
  /** The topic that is read, to be made if it is not there; `null`: topics are found by their names. */
  readonly source: TopicSpec | null;
  readonly alerts: TopicSpec;
  /** Alerts of shadow rules; absent: `<alerts>-shadow`. */
  readonly shadowAlerts?: TopicSpec;
  /** Partial matches that ended one step short, of rules that ask for it; absent: `near-misses`. */
  readonly nearMisses?: TopicSpec;
  readonly deadLetters: TopicSpec;
  readonly late: TopicSpec;
  /** How long its records are kept is not for the caller to say. */
  readonly journal: TopicSpec;
  readonly delivery: DeliveryMode;
  /** Name of the lane's transactions; absent: a new one at every start. No two lanes may share one. */
  readonly transactionalId?: string;
  readonly commitIntervalMs: number;
  readonly commitRecords: number;
  readonly snapshotIntervalMs: number;
  /** State is stored sooner when so much of it has changed, about. Absent: never sooner. */
  readonly snapshotBytes?: number;
  /** When events of a key are stored apart from the rest of its state. */
  readonly chunkSizes?: ChunkSizes;
  /** Most keys whose state is kept as objects, by partition and key field; the others' are bytes. */
  readonly hotKeysMax?: number;
  /** Shared with other lanes of the thread; absent: its own. */
  readonly compilers?: Compilers;
  /** See `TaskOptions`. */
  readonly handedOverAtOnce?: number;
  /** See `TaskOptions`. */
  readonly pseudonyms?: Pseudonyms | undefined;
  /** Bounds the memory of windows of features, over all partitions. */
  readonly spill?: SpillOptions;
  readonly listener: DetectorListener;
  /** Seconds of a clock that never goes back, for durations in metrics alone. */
  readonly stopwatch: () => number;
  /** Resolves when other work of the process has had its turn. */
  readonly turn: () => Promise<void>;
  /** What happens, in words, for the log. */
  readonly report: (text: string) => void;
}
