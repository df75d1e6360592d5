import type {
  EventCodec,
  Limits,
  Lists,
  Match,
  MatchSet,
  NearMiss,
  PatternCompiler,
  SkipError,
} from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { SpillOptions } from '../../keys/windows/window-spill.js';
import type { HeldEvents } from './begun-runs.js';
import type { QuarantineOutput } from './quarantine.js';

/** What the engine finds, as it finds it. */
export interface KeyedOutput extends QuarantineOutput {
  /** `at`: event time at which the match was complete, in ms. */
  onMatch(rule: Rule, key: string, match: Match, at: number): void;
  /** If present, it gets the matches of a shared graph as a set, and none is written out but those it asks for. */
  onMatches?(rule: Rule, key: string, matches: MatchSet, at: number): void;
  /** Of rules that ask for it. */
  onNearMiss?(rule: Rule, key: string, nearMiss: NearMiss): void;
  onRunsDropped?(rule: Rule, key: string, runs: number): void;
  onMatchesDropped?(rule: Rule, key: string, matches: number): void;
  onSkipError?(rule: Rule, key: string, error: SkipError): void;
}

export interface KeyedEngineOptions {
  readonly kindParents?: ReadonlyMap<string, string>;
  /** What conditions on reference lists ask. */
  readonly lists?: Lists;
  /** What the longest wait of a quantifier bounds; see `CompileOptions`. */
  readonly quantifierGap?: 'flink' | 'every';
  /** Bounds of each rule for each key. */
  readonly limits?: Partial<Limits>;
  /** Writes events, so that states can be kept as bytes. Without it all stay objects. */
  readonly codec?: EventCodec;
  /** Reads events of such bytes that are only looked at, and written again as they were. */
  readonly outline?: EventCodec;
  /** Shared with other engines of the thread that have the same options: see `Compilers`. */
  readonly compiler?: PatternCompiler;
  /** Most keys whose state is kept as objects, where one with many runs counts as so many; the others' are bytes. Changes no result. Default 16,384. */
  readonly hotKeysMax?: number;
  /** Bounds the memory of windows of features. Changes no result. Absent: it has no bound. */
  readonly spill?: SpillOptions;
  /** Writes events that begin runs, where `tellsChanges` is false: while nothing else comes of them, they are kept as bytes beside states. Changes no result. */
  readonly heldEvents?: HeldEvents;
  /** False: `takeDirty` is never called, and nothing is kept for it. Default true. */
  readonly tellsChanges?: boolean;
  /** Keys that are processed here; events of others are passed over. Absent: all. */
  readonly ownsKey?: (key: string) => boolean;
  /** Of rules that run elsewhere: features of other keys that are counted and told here. Absent: none. */
  readonly countsFor?: readonly Pick<Rule, 'otherKeys'>[];
  /** The streams whose events come, that which is meant where a rule names none first. Absent: one. */
  readonly streams?: readonly string[];
}

/** What a run of rules takes from the settings of the engine. */
export const ruleOptionsOf = ({
  runsMax,
  matchesMax,
  eventsMax,
  overflow,
  quantifierGap,
}: RuleSettings): RuleOptions => ({
  limits: { runsMax, matchesMax, eventsMax, overflow },
  quantifierGap,
});

export type RuleOptions = Pick<KeyedEngineOptions, 'limits' | 'quantifierGap' | 'lists'>;
export type RuleSettings = Limits & { readonly quantifierGap: 'flink' | 'every' };

export const HOT_KEYS_MAX = 16_384;
