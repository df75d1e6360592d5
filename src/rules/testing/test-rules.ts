import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../diagnostic.js';
import type { KnownLists } from '../known-lists.js';
import { loadRules } from '../read/load-rules.js';
import type { KnownStreams } from '../schema.js';
import type { RuleCoverage } from './coverage.js';
import { parseRuleTests } from './parse-tests.js';
import type { TestStream } from './rule-test.js';
import { runRuleTests, type TestEngine, type TestFailure, type TestResult } from './run-tests.js';
import { streamsOfRule } from './test-streams.js';

export interface TestRulesOptions extends Omit<TestEngine, 'kindParents'> {
  /** The streams that there are for the rule in a file. */
  /** The reference lists that there are for the rule in a file. Absent: any may be asked. */
  readonly listsOf?: (file: string) => KnownLists;
  readonly streamsOf: (file: string) => readonly TestStream[] | Promise<readonly TestStream[]>;
}

export interface TestRulesResult extends Omit<TestResult, 'coverage'> {
  /** Of each rule that has tests, where it was asked for. */
  readonly coverage: readonly RuleCoverage[];
  /** What is wrong with the rules or with the files of tests; a test that cannot be read counts as neither passed nor failed. */
  readonly diagnostics: readonly Diagnostic[];
}

export const TESTS_FILE = 'tests.yaml';

/** Runs the tests beside all rules in the given files and folders. */
export async function testRules(paths: readonly string[], options: TestRulesOptions): Promise<TestRulesResult> {
  const resolveStreams = async (file: string) => knownStreams(await options.streamsOf(file));
  const { rules, diagnostics: ofRules } = await loadRules(paths, {
    resolveStreams,
    ...(options.listsOf === undefined ? {} : { resolveLists: options.listsOf }),
  });
  const diagnostics = [...ofRules];
  const failures: TestFailure[] = [];
  const coverage: RuleCoverage[] = [];
  let passed = 0;
  for (const rule of rules) {
    const file = join(dirname(rule.source), TESTS_FILE);
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text === null) {
      diagnostics.push(withoutTests(rule.source));
      continue;
    }
    const streams = streamsOfRule(rule, await options.streamsOf(rule.source));
    const parsed = parseRuleTests(text, file, rule, streams);
    diagnostics.push(...parsed.diagnostics);
    const kindParents = new Map(streams.flatMap(({ schema }) => [...(schema?.kindParents ?? [])]));
    const result = runRuleTests(rule, parsed.tests, {
      render: options.render,
      kindParents,
      coverage: options.coverage === true,
    });
    if (result.coverage !== undefined) coverage.push(result.coverage);
    passed += result.passed;
    failures.push(...result.failures);
  }
  return { passed, failed: failures.length, failures, diagnostics, coverage };
}

/** A stream without a name is the only one: then what is known of its events is all there is to know. */
function knownStreams(streams: readonly TestStream[]): KnownStreams {
  if (streams.some(({ name }) => name === undefined)) return streams[0]!.schema;
  return streams.map(({ name, schema }) => ({ name: name!, schema }));
}

function withoutTests(file: string): Diagnostic {
  const place = { file, line: 1, column: 1, length: 1, excerpt: '' };
  const message = `There is no ${TESTS_FILE} beside this rule.`;
  return {
    severity: 'warning',
    code: 'no-tests',
    message,
    ...place,
    hint: 'See docs/pattern-language.md for its form.',
  };
}

/** A failed test for people. */
export function formatFailure(failure: TestFailure): string {
  const indented = failure.message.replace(/^/gm, '    ');
  return `${failure.file}:${failure.line}: ${failure.rule}: ${failure.test}\n${indented}`;
}
