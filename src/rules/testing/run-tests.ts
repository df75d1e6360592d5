import { type HeldEvent, type Match, PatternRunner, SkipError, type WindowResult } from '../../engine/index.js';
import { OtherKeyWindows } from '../other-key-windows.js';
import type { MessagePart, Rule } from '../rule.js';
import { isTaken } from '../streams-read.js';
import { CoverageRecorder, type RuleCoverage } from './coverage.js';
import type { ExpectedAlert, RuleTest } from './rule-test.js';
import { sayWindow, windowsAsExpected } from './window-alerts.js';

/** What tests need beside the engine. */
export interface TestEngine {
  /** Fills a message as the service does. */
  readonly render: (parts: readonly MessagePart[], match: Match, key: string) => string;
  readonly kindParents?: ReadonlyMap<string, string>;
  /** Whether to note what the tests show of the rule. */
  readonly coverage?: boolean;
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
  /** Where it was asked for. */
  readonly coverage?: RuleCoverage;
}

interface TestRun {
  readonly alerts: FoundAlert[];
  /** The partial match that held the most events; empty when there was none. */
  readonly furthest: string;
}

interface FoundAlert {
  readonly matched: string;
  readonly message: string;
  readonly window?: WindowResult;
}

/** Runs a rule's tests on the engine itself. After the last event, time goes on until every window has ended. */
export function runRuleTests(rule: Rule, tests: readonly RuleTest[], engine: TestEngine): TestResult {
  const recorder = engine.coverage === true ? new CoverageRecorder(rule, engine) : null;
  const failures = tests.flatMap((test) => {
    const differences = differencesOf(rule, test, engine, recorder);
    if (differences.length === 0) return [];
    return { rule: rule.id, test: test.name, file: test.file, line: test.line, message: differences.join('\n') };
  });
  const passed = tests.length - failures.length;
  return { passed, failed: failures.length, failures, ...(recorder && { coverage: recorder.result() }) };
}

function differencesOf(
  rule: Rule,
  test: RuleTest,
  engine: TestEngine,
  recorder: CoverageRecorder | null,
): readonly string[] {
  try {
    const { alerts, furthest } = run(rule, test, engine, recorder);
    const expected = rule.pattern.window === undefined ? test.alerts : windowsAsExpected(test.alerts, alerts);
    return compare(
      expected.map((alert) => ({ ...alert, matched: sayExpected(rule, alert) })),
      alerts,
      furthest,
    );
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    return [`error      ${error.message} [${error.reason}]`];
  }
}

function run(rule: Rule, test: RuleTest, engine: TestEngine, recorder: CoverageRecorder | null): TestRun {
  const { values, features } = rule;
  const told = { ...(values && { values }), ...(features && { features }) };
  const runners = new Map<string, PatternRunner>();
  const idOfSeq = new Map(test.events.map(({ id, event }) => [event.seq, id]));
  const found: FoundAlert[] = [];
  let furthest: readonly HeldEvent[] = [];
  const take = (key: string, matches: readonly Match[]): void => {
    for (const match of matches) {
      const { window } = match;
      const matched =
        window !== undefined
          ? sayWindow(window.fields)
          : say(match.steps.map(({ name, events }) => [name, events.map((e) => idOfSeq.get(e.seq)!)]));
      const message = engine.render(rule.alert.message, match, key);
      found.push({ matched, message, ...(window && { window }) });
    }
  };
  const others = new OtherKeyWindows(rule, {
    ...(engine.kindParents && { kindParents: engine.kindParents }),
    lists: test.lists,
  });
  for (const { keys, event: given } of test.events) {
    const event = others.tell(given);
    recorder?.seen(event, test.lists);
    for (const key of isTaken(rule, event) ? keys : []) {
      const runner =
        runners.get(key) ??
        new PatternRunner(rule.pattern, {
          ...told,
          ...(recorder && { onTested: recorder.onTested }),
          kindParents: engine.kindParents,
          key,
          lists: test.lists,
        });
      runners.set(key, runner);
      recorder?.before(key, event, test.lists);
      const matches = runner.feed(event);
      take(key, matches);
      for (const held of runner.held()) if (held.length > furthest.length) furthest = held;
      recorder?.after(
        runner,
        matches.flatMap(({ steps }) => steps.filter(({ events }) => events.length > 0).map(({ name }) => name)),
      );
    }
  }
  for (const [key, runner] of runners) take(key, runner.advance(Number.MAX_SAFE_INTEGER));
  recorder?.end();
  return { alerts: found, furthest: sayHeld(furthest, idOfSeq) };
}

function sayHeld(held: readonly HeldEvent[], idOfSeq: ReadonlyMap<number, string>): string {
  const steps = new Map<string, string[]>();
  for (const { step, event } of held) steps.set(step, [...(steps.get(step) ?? []), idOfSeq.get(event.seq)!]);
  return say([...steps]);
}

/** Alerts are paired by what they matched, whatever their order; what is left, by what they have in common. */
function compare(
  expected: readonly (ExpectedAlert & { matched: string })[],
  found: readonly FoundAlert[],
  furthest: string,
): string[] {
  const rest = [...found];
  const differences: string[] = [];
  const missing: string[] = [];
  for (const alert of expected) {
    const index = rest.findIndex((candidate) => candidate.matched === alert.matched);
    const [pair] = index < 0 ? [] : rest.splice(index, 1);
    if (pair === undefined) {
      missing.push(alert.matched);
    } else if (alert.message !== undefined && alert.message !== pair.message) {
      differences.push(`message    ${alert.matched}`, `  expected ${alert.message}`, `  found    ${pair.message}`);
    }
  }
  for (const matched of missing) {
    const near = takeNearest(matched, rest);
    differences.push(`missing    ${matched}`);
    if (near !== undefined) differences.push(`  found    ${near.matched}`, ...stepDifferences(matched, near.matched));
    else
      differences.push(`  ${furthest === '' ? 'no step took an event' : `the furthest partial match was ${furthest}`}`);
  }
  return [...differences, ...rest.map((alert) => `unexpected ${alert.matched}`)];
}

/** Takes out the alert that has most steps in common; none that has nothing. */
function takeNearest(matched: string, rest: FoundAlert[]): FoundAlert | undefined {
  const wanted = new Set(matched.split(', '));
  const common = rest.map((alert) => alert.matched.split(', ').filter((step) => wanted.has(step)).length);
  const most = Math.max(0, ...common);
  return most === 0 ? undefined : rest.splice(common.indexOf(most), 1)[0];
}

function stepDifferences(expected: string, found: string): string[] {
  const eventsOf = (matched: string) =>
    new Map(matched.split(', ').map((step) => step.split(': ') as [string, string]));
  const [left, right] = [eventsOf(expected), eventsOf(found)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((step) => left.get(step) !== right.get(step))
    .map((step) => `  ${step}: expected ${left.get(step) ?? 'nothing'}, found ${right.get(step) ?? 'nothing'}`);
}

/** In the pattern's order of steps, as matches are. */
function sayExpected(rule: Rule, alert: ExpectedAlert): string {
  if (alert.window !== undefined) return sayWindow(alert.window.values);
  const names = rule.pattern.steps.flatMap(function namesOf(step): string[] {
    return step.kind === 'group' ? step.steps.flatMap(namesOf) : [step.name];
  });
  return say(names.flatMap((name) => (alert.steps.has(name) ? [[name, alert.steps.get(name)!] as const] : [])));
}

function say(steps: readonly (readonly [string, readonly string[]])[]): string {
  return steps.map(([name, ids]) => `${name}: ${ids.join(' ')}`).join(', ');
}
