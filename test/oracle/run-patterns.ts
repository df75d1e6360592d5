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
  /**
   * Which time-outs it tells. `distinct`: not how many partial matches with the same events timed out: a rule set does not
   * process an event that is merely passed over, though one way of waiting may become several by it.
   */
  readonly timeouts: 'all' | 'distinct' | 'none';
  /** Absent: it runs every pattern. */
  readonly takes?: (pattern: Pattern) => boolean;
}

/** Each pattern in a runner of its own. */
export const ALONE: Engine = {
  name: 'runner',
  timeouts: 'all',
  run: (patterns, stream) => patterns.map((pattern) => runAlone(pattern, stream)),
};

/** All patterns at once, in one rule set. */
export const TOGETHER: Engine = {
  name: 'rule set',
  timeouts: 'distinct',
  run: (patterns, stream) => {
    const found = new FoundBySlot(patterns.length, true);
    return runRuleSet(ruleSetOf(patterns), stream, found, processKey);
  },
};

/** The same without time-outs, and with the look at the event first, as the service does it. */
export const LOOKED_AT_FIRST: Engine = {
  name: 'rule set, looked at first',
  timeouts: 'none',
  run: (patterns, stream) => {
    const found = new FoundBySlot(patterns.length, false);
    return runRuleSet(ruleSetOf(patterns), stream, found, lookAndProcess);
  },
};

/** The same with the state written to bytes and read again before each feed. */
export const THROUGH_BYTES: Engine = {
  name: 'rule set through bytes',
  timeouts: 'none',
  run: (patterns, stream) => {
    const found = new FoundBySlot(patterns.length, false);
    return runRuleSet(ruleSetOf(patterns), stream, found, (rules, state, event, output) =>
      processKey(rules, throughBytes(state, rules), event, output),
    );
  },
};

/** All patterns at once, among many others, which are compiled once. */
export function amongOthers(others: readonly Pattern[]): Engine {
  let compiler: RuleSet['compiler'] | undefined;
  return {
    name: `rule set with ${others.length} others`,
    timeouts: 'none',
    run: (patterns, stream) => {
      const all = [...others, ...patterns];
      const rules = compileRuleSet(named(all), { kindParents: KIND_PARENTS, ...(compiler ? { compiler } : {}) });
      compiler = rules.compiler;
      return runRuleSet(rules, stream, new FoundBySlot(all.length, false), processKey).slice(others.length);
    },
  };
}

const ruleSets = new WeakMap<readonly Pattern[], RuleSet>();

/** The rule set of the patterns; the same one for the same array. */
export function ruleSetOf(patterns: readonly Pattern[]): RuleSet {
  const rules = ruleSets.get(patterns) ?? compileAnew(patterns);
  ruleSets.set(patterns, rules);
  return rules;
}

export const compileAnew = (patterns: readonly Pattern[]): RuleSet =>
  compileRuleSet(named(patterns), { kindParents: KIND_PARENTS });

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

const lookAndProcess: typeof processKey = (rules, given, event, output) => {
  const isDue = given !== undefined && nextKeyDeadline(rules, given) <= event.time;
  const state = isDue ? advanceKey(rules, given, event.time, output) : given;
  return canMatter(rules, event) ? processSeen(rules, state, event, output) : state;
};

function runAlone(pattern: Pattern, stream: Stream): readonly string[] {
  const runner = new PatternRunner(pattern, { kindParents: KIND_PARENTS });
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
