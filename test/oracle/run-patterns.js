import { KIND_PARENTS } from '../../src/cli/conformance/case.js';
import {
  advanceKey,
  canMatter,
  compileRuleSet,
  nextKeyDeadline,
  PatternRunner,
  processKey,
  processSeen,
  SkipError,
} from '../../src/engine/index.js';
import { Found, FoundBySlot } from './found.js';
import { throughBytes } from './key-bytes.js';

/** Each pattern in a runner of its own. */
const runner = (name, quantifierGap) => ({
  name,
  timeouts: 'all',
  quantifierGap,
  run: (patterns, stream) => patterns.map((pattern) => runAlone(pattern, stream, quantifierGap)),
});
export const RUNNER = runner('runner', 'flink');
export const RUNNER_EVERY_GAP = runner('runner with quantifierGap every', 'every');
/** All patterns at once, in one rule set. */
const ruleSetEngine = (name, sharing, process, timeouts = 'none') => ({
  name,
  timeouts,
  quantifierGap: 'flink',
  run: (patterns, stream) => {
    const found = new FoundBySlot(patterns.length, timeouts === 'distinct');
    return runRuleSet(ruleSetOf(patterns, sharing), stream, found, process);
  },
});
/** The look at the event comes first, as in the service. */
const lookAndProcess = (rules, given, event, output) => {
  const isDue = given !== undefined && nextKeyDeadline(rules, given) <= event.time;
  const state = isDue ? advanceKey(rules, given, event.time, output) : given;
  return canMatter(rules, event) ? processSeen(rules, state, event, output) : state;
};
/** The state is written to bytes and read again before each event. */
const processThroughBytes = (rules, state, event, output) =>
  processKey(rules, throughBytes(state, rules), event, output);
export const RULE_SET = ruleSetEngine('rule set', 'auto', processKey);
export const RULE_SET_OF_RUNS = ruleSetEngine('rule set of runs', 'never', processKey);
export const RULE_SET_WITH_TIMEOUTS = ruleSetEngine('rule set with time-outs', 'never', processKey, 'distinct');
export const RULE_SET_LOOKED_AT = ruleSetEngine('rule set, looked at first', 'auto', lookAndProcess);
export const RULE_SET_THROUGH_BYTES = ruleSetEngine('rule set through bytes', 'auto', processThroughBytes);
export const RUNS_THROUGH_BYTES = ruleSetEngine('rule set of runs through bytes', 'never', processThroughBytes);
/** All patterns at once, among many others, which are compiled once. */
export function amongOthers(others) {
  let compiler;
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
const ruleSets = new WeakMap();
/** The rule set of the patterns; the same one for the same array. */
function ruleSetOf(patterns, sharing) {
  const known = ruleSets.get(patterns) ?? new Map();
  ruleSets.set(patterns, known);
  const rules = known.get(sharing) ?? compileAnew(patterns, sharing);
  known.set(sharing, rules);
  return rules;
}
export const compileAnew = (patterns, sharing) =>
  compileRuleSet(named(patterns), { kindParents: KIND_PARENTS, sharing });
const named = (patterns) => patterns.map((pattern, i) => ({ id: `p${i}`, pattern }));
/** One feed of a stream. */
export function feedKey(rules, state, feed, output, process = processKey) {
  const { time, event } = feed;
  return event === undefined ? advanceKey(rules, state, time, output) : process(rules, state, event, output);
}
function runRuleSet(rules, stream, found, process) {
  let state;
  for (const [at, feed] of stream.entries()) {
    found.at = at;
    state = feedKey(rules, state, feed, found, process);
  }
  return found.texts();
}
function runAlone(pattern, stream, quantifierGap) {
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
