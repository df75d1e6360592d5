import type { Rule } from '../rule.js';
import { streamsRead } from '../streams-read.js';
import type { TestStream } from './rule-test.js';

/** Of the streams that there are, those that the rule reads. */
export function streamsOfRule(rule: Rule, given: TestStream | readonly TestStream[]): readonly TestStream[] {
  const all = 'schema' in given ? [given] : given;
  const read = streamsRead(rule);
  const own = all.filter(({ name }) => name !== undefined && read.includes(name));
  return own.length > 0 ? own : all.slice(0, 1);
}
