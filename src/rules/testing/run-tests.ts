import { type Match, PatternRunner, SkipError } from '../../engine/index.js';
import type { MessagePart, Rule } from '../rule.js';
import type { ExpectedAlert, RuleTest } from './rule-test.js';

/** What tests need beside the engine. */
export interface TestEngine {
  /** Fills a message as the service does. */
  readonly render: (parts: readonly MessagePart[], match: Match, key: string) => string;
  readonly kindParents?: ReadonlyMap<string, string>;
}

export interface TestFailure {
  readonly rule: string;
  readonly test: string;
  readonly file: string;
  readonly line: number;
  /** What was expected and not found, and the other way round; one difference a line. */
  readonly message: string;
}

export interface TestResult {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly TestFailure[];
}

interface FoundAlert {
  readonly matched: string;
  readonly message: string;
}

/** Runs a rule's tests on the engine itself. After the last event, time goes on until every window has ended. */
export function runRuleTests(rule: Rule, tests: readonly RuleTest[], engine: TestEngine): TestResult {
  const failures = tests.flatMap((test) => {
    const differences = differencesOf(rule, test, engine);
    if (differences.length === 0) return [];
    return { rule: rule.id, test: test.name, file: test.file, line: test.line, message: differences.join('\n') };
  });
  return { passed: tests.length - failures.length, failed: failures.length, failures };
}

function differencesOf(rule: Rule, test: RuleTest, engine: TestEngine): readonly string[] {
  try {
    return compare(
      test.alerts.map((alert) => ({ ...alert, matched: sayExpected(rule, alert) })),
      run(rule, test, engine),
    );
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    return [`error      ${error.message} [${error.reason}]`];
  }
}

function run(rule: Rule, test: RuleTest, engine: TestEngine): FoundAlert[] {
  const { values, features } = rule;
  const told = { ...(values && { values }), ...(features && { features }) };
  const runners = new Map<string, PatternRunner>();
  const idOfSeq = new Map(test.events.map(({ id, event }) => [event.seq, id]));
  const found: FoundAlert[] = [];
  const take = (key: string, matches: readonly Match[]): void => {
    for (const match of matches) {
      const matched = say(match.steps.map(({ name, events }) => [name, events.map((e) => idOfSeq.get(e.seq)!)]));
      found.push({ matched, message: engine.render(rule.alert.message, match, key) });
    }
  };
  for (const { keys, event } of test.events) {
    for (const key of keys) {
      const runner =
        runners.get(key) ??
        new PatternRunner(rule.pattern, { ...told, kindParents: engine.kindParents, key, lists: test.lists });
      runners.set(key, runner);
      take(key, runner.feed(event));
    }
  }
  for (const [key, runner] of runners) take(key, runner.advance(Number.MAX_SAFE_INTEGER));
  return found;
}

/** Alerts are paired by what they matched, whatever their order. */
function compare(expected: readonly (ExpectedAlert & { matched: string })[], found: readonly FoundAlert[]): string[] {
  const rest = [...found];
  const differences: string[] = [];
  for (const alert of expected) {
    const index = rest.findIndex((candidate) => candidate.matched === alert.matched);
    const [pair] = index < 0 ? [] : rest.splice(index, 1);
    if (pair === undefined) {
      differences.push(`missing    ${alert.matched}`);
    } else if (alert.message !== undefined && alert.message !== pair.message) {
      differences.push(`message    ${alert.matched}`, `  expected ${alert.message}`, `  found    ${pair.message}`);
    }
  }
  return [...differences, ...rest.map((alert) => `unexpected ${alert.matched}`)];
}

/** In the pattern's order of steps, as matches are. */
function sayExpected(rule: Rule, alert: ExpectedAlert): string {
  const names = rule.pattern.steps.flatMap(function namesOf(step): string[] {
    return step.kind === 'group' ? step.steps.flatMap(namesOf) : [step.name];
  });
  return say(names.flatMap((name) => (alert.steps.has(name) ? [[name, alert.steps.get(name)!] as const] : [])));
}

function say(steps: readonly (readonly [string, readonly string[]])[]): string {
  return steps.map(([name, ids]) => `${name}: ${ids.join(' ')}`).join(', ');
}
