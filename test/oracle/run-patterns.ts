import { KIND_PARENTS } from '../../src/cli/conformance/case.js';
import {
  advanceKey,
  canMatter,
  compileRuleSet,
  type KeyState,
  type NamedPattern,
  nextKeyDeadline,
  type Pattern,
  PatternRunner,
  processKey,
  processSeen,
  type RuleSet,
  type RuleSetOptions,
  type RuleSetOutput,
  SkipError,
} from '../../src/engine/index.js';
import { Found, FoundBySlot } from './found.js';
import { throughBytes } from './key-bytes.js';
import type { Stream } from './matches.js';

/**
 * A way of running patterns over a stream. It tells what is found, for each pattern, in the form of `resultTexts` with the
 * number of the feed as place. After an error of a skip strategy a pattern finds nothing more.
 */
export interface Engine {
  readonly name: string;
  run(patterns: readonly Pattern[], stream: Stream): readonly (readonly string[])[];
  /** Which time-outs it tells. */
  readonly timeouts: 'all' | 'none';
  /** Which meaning of the longest wait in a quantifier it is run with. */
  readonly quantifierGap: 'flink' | 'every';
  /** Absent: it runs every pattern. */
  readonly takes?: (pattern: Pattern) => boolean;
}

/** Each pattern in a runner of its own. */
const runner = (name: string, quantifierGap: Engine['quantifierGap']): Engine => ({
  name,
  timeouts: 'all',
  quantifierGap,
  run: (patterns, stream) => patterns.map((pattern) => runAlone(pattern, stream, quantifierGap)),
});

export const RUNNER = runner('runner', 'flink');
export const RUNNER_EVERY_GAP = runner('runner with quantifierGap every', 'every');

export type Sharing = NonNullable<RuleSetOptions['sharing']>;

/** All patterns at once, in one rule set. */
const ruleSetEngine = (
  name: string,
  sharing: Sharing,
  process: typeof processKey,
  timeouts: Engine['timeouts'] = 'none',
): Engine => ({
  name,
  timeouts,
  quantifierGap: 'flink',
  run: (patterns, stream) => {
    const found = new FoundBySlot(patterns.length, timeouts === 'all');
    return runRuleSet(ruleSetOf(patterns, sharing), stream, found, process);
  },
});

/** The look at the event comes first, as in the service. */
const lookAndProcess: typeof processKey = (rules, given, event, output) => {
  const isDue = given !== undefined && nextKeyDeadline(rules, given) <= event.time;
  const state = isDue ? advanceKey(rules, given, event.time, output) : given;
  return canMatter(rules, event) ? processSeen(rules, state, event, output) : state;
};

/** The state is written to bytes and read again before each event. */
const processThroughBytes: typeof processKey = (rules, state, event, output) =>
  processKey(rules, throughBytes(state, rules), event, output);

export const RULE_SET = ruleSetEngine('rule set', 'auto', processKey);
export const RULE_SET_OF_RUNS = ruleSetEngine('rule set of runs', 'never', processKey);
export const RULE_SET_WITH_TIMEOUTS = ruleSetEngine('rule set with time-outs', 'never', processKey, 'all');
export const RULE_SET_LOOKED_AT = ruleSetEngine('rule set, looked at first', 'auto', lookAndProcess);
export const RULE_SET_THROUGH_BYTES = ruleSetEngine('rule set through bytes', 'auto', processThroughBytes);
export const RUNS_THROUGH_BYTES = ruleSetEngine('rule set of runs through bytes', 'never', processThroughBytes);

/** All patterns at once, among many others, which are compiled once. */
export function amongOthers(others: readonly Pattern[]): Engine {
  let compiler: RuleSet['compiler'] | undefined;
  return {
    name: `rule set with ${others.length} others`,
    timeouts: 'none',
    quantifierGap: 'flink',
    run: (patterns, stream) => {
      const all = [...others, ...patterns];
      const rules = compileRuleSet(named(all), { kindParents: KIND_PARENTS, ...(compiler ? { compiler } : {}) });
      compiler = rules.compiler;
      return runRuleSet(rules, stream, new FoundBySlot(all.length, false), processKey).slice(others.length);
    },
  };
}

const ruleSets = new WeakMap<readonly Pattern[], Map<Sharing, RuleSet>>();

/** The rule set of the patterns; the same one for the same array. */
function ruleSetOf(patterns: readonly Pattern[], sharing: Sharing): RuleSet {
  const known = ruleSets.get(patterns) ?? new Map<Sharing, RuleSet>();
  ruleSets.set(patterns, known);
  const rules = known.get(sharing) ?? compileAnew(patterns, sharing);
  known.set(sharing, rules);
  return rules;
}

export const compileAnew = (patterns: readonly Pattern[], sharing: Sharing): RuleSet =>
  compileRuleSet(named(patterns), { kindParents: KIND_PARENTS, sharing });

const named = (patterns: readonly Pattern[]): readonly NamedPattern[] =>
  patterns.map((pattern, i) => ({ id: `p${i}`, pattern }));

/** One feed of a stream. */
export function feedKey(
  rules: RuleSet,
  state: KeyState | undefined,
  feed: Stream[number],
  output: RuleSetOutput,
  process: typeof processKey = processKey,
): KeyState | undefined {
  const { time, event } = feed;
  return event === undefined ? advanceKey(rules, state, time, output) : process(rules, state, event, output);
}

function runRuleSet(
  rules: RuleSet,
  stream: Stream,
  found: FoundBySlot,
  process: typeof processKey,
): readonly (readonly string[])[] {
  let state: KeyState | undefined;
  for (const [at, feed] of stream.entries()) {
    found.at = at;
    state = feedKey(rules, state, feed, found, process);
  }
  return found.texts();
}

function runAlone(pattern: Pattern, stream: Stream, quantifierGap: Engine['quantifierGap']): readonly string[] {
  const runner = new PatternRunner(pattern, { kindParents: KIND_PARENTS, quantifierGap });
  const found = new Found();
  for (const [at, { time, event }] of stream.entries()) {
    found.at = at;
    try {
      for (const match of event === undefined ? runner.advance(time) : runner.feed(event)) found.match(match);
      for (const timeout of runner.takeTimeouts()) found.timeout(timeout);
    } catch (error) {
      if (!(error instanceof SkipError)) throw error;
      found.fail();
      break;
    }
  }
  return found.inOrder().toSorted();
}
