import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RULE_FILE, type RuleText } from '../read/load-rules.js';
import { TESTS_FILE } from './test-rules.js';

/** Rules of files with the tests that stand beside each of them. */
export function withTestsBeside(rules: readonly RuleText[]): Promise<RuleText[]> {
  return Promise.all(
    rules.map(async (rule) => {
      // Several rules may lie in one folder under names of their own: no tests are theirs alone there.
      if (basename(rule.file) !== RULE_FILE) return rule;
      const tests = await readFile(join(dirname(rule.file), TESTS_FILE), 'utf8').catch(() => '');
      return tests === '' ? rule : { ...rule, tests };
    }),
  );
}
