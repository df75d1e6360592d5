import {
  type Diagnostic,
  formatFailure,
  lintOverlaps,
  parseRuleTests,
  type Rule,
  type RuleText,
  runRuleTests,
  streamsOfRule,
  type TestFailure,
  type TestStream,
} from '../../rules/index.js';
import { renderMessage } from '../../runtime/task/alert/message.js';
import type { RuleControl } from '../rules/rule-control.js';

export interface CheckedRule {
  readonly id: string;
  readonly file: string;
  readonly title: string;
  readonly status: string;
  readonly key: string;
  readonly revision: string;
}

export interface Checked {
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
  readonly rules: readonly CheckedRule[];
}

/** Looks at rules without changing anything. `withSet`: warns of what rules in force find as well. */
export async function checkRules(control: RuleControl, files: readonly RuleText[], withSet: boolean): Promise<Checked> {
  const own = new Set(files.map(({ file }) => file));
  const loaded = await control.look(files);
  const ids = new Set(loaded.rules.map(({ id }) => id));
  const others = withSet ? control.rules.filter(({ id, source }) => !ids.has(id) && !own.has(source)) : [];
  const overlaps = lintOverlaps({ rules: [...loaded.rules, ...others], texts: loaded.texts });
  const diagnostics = [...loaded.diagnostics, ...overlaps.filter(({ file }) => own.has(file))];
  return {
    errors: diagnostics.filter(({ severity }) => severity === 'error'),
    warnings: diagnostics.filter(({ severity }) => severity === 'warning'),
    rules: loaded.rules.map(describe),
  };
}

const describe = ({ id, source: file, title, status, key, revision }: Rule): CheckedRule => ({
  ...{ id, file, title, status, key, revision },
});

export interface RanTests {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly (TestFailure & { readonly text: string })[];
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** Runs tests of one rule, as they stand in a `tests.yaml`. */
export async function runTests(
  control: RuleControl,
  rule: RuleText,
  tests: RuleText,
  streams: readonly TestStream[],
): Promise<RanTests> {
  const { rules, diagnostics: ofRule } = await control.look([rule]);
  const [read] = rules;
  const diagnostics = [...ofRule];
  let ran: Pick<RanTests, 'passed' | 'failed' | 'failures'> = { passed: 0, failed: 0, failures: [] };
  if (read !== undefined) {
    const own = streamsOfRule(read, streams);
    const parsed = parseRuleTests(tests.text, tests.file, read, own);
    diagnostics.push(...parsed.diagnostics);
    const kindParents = new Map(own.flatMap(({ schema }) => [...(schema?.kindParents ?? [])]));
    const { passed, failed, failures } = runRuleTests(read, parsed.tests, { render: renderMessage, kindParents });
    ran = { passed, failed, failures: failures.map((failure) => ({ ...failure, text: formatFailure(failure) })) };
  }
  return {
    ...ran,
    errors: diagnostics.filter(({ severity }) => severity === 'error'),
    warnings: diagnostics.filter(({ severity }) => severity === 'warning'),
  };
}
