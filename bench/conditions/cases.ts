/** What is measured: conditions as users write them, read as rules are read, and as the two kinds of function. */

import { benchSchema } from '../../src/bench/workloads/rules.js';
import { variants } from '../../src/bench/workloads/variants.js';
import { generateTest } from '../../src/engine/expression/generate.js';
import { conditionRuntime } from '../../src/engine/expression/runtime.js';
import type { EngineEvent, Expr } from '../../src/engine/index.js';
import { formatDiagnostic, parseRule } from '../../src/rules/index.js';

/** Called as the engine calls it; a closure needs the event alone. */
export type ConditionTest = (event: EngineEvent, fields: EngineEvent['fields'], head: null) => unknown;

export interface ConditionCase {
  readonly name: string;
  /** Evaluated one after the other for each event. */
  readonly conditions: readonly string[];
}

export const CASES: readonly ConditionCase[] = [
  { name: 'one comparison', conditions: ['amount > 10000.0'] },
  { name: 'a type and a range', conditions: ["type == 'Payment' && amount < 5.0"] },
  { name: 'lists', conditions: ["type in ['Deposit', 'Transfer'] && (country == 'OFFSHORE' || amount >= 9000.0)"] },
  { name: 'arithmetic', conditions: ['amount * 1.1 + 5.0 > 1000.0 && amount - 250.0 < 4000.0'] },
  { name: 'a choice', conditions: ["amount > 100.0 ? country == 'GB' : type == 'Transfer'"] },
  {
    name: '100 rules in turn',
    conditions: variants(100).map(
      ({ threshold, type, country }) => `amount > ${threshold}.0 || (type == '${type}' && country == '${country}')`,
    ),
  },
];

/** The checked tree of a condition. Throws with its diagnostics. */
export function treeOf(condition: string): Expr {
  const text = `id: measured\nkey: accountId\npattern:\n  - begin: step\n    where: >-\n      ${condition}\n`;
  const { rule, diagnostics } = parseRule(text, 'conditions', benchSchema);
  if (rule === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  const [step] = rule.pattern.steps;
  if (step?.kind !== 'event' || step.where === undefined || step.where.op === 'function') throw new Error(condition);
  return step.where;
}

/** The condition as the engine runs it: code made from the tree, constants as parameters. */
export function generatedOf(expr: Expr): ConditionTest {
  const constants: unknown[] = [];
  const text = generateTest(expr, {
    stepIndex: () => -1,
    constant: (value) => `k${constants.push(value) - 1}`,
    lists: () => {
      throw new Error('no lists are measured');
    },
    feature: () => {
      throw new Error('features have no value without a key');
    },
    key: () => {
      throw new Error('there is no key');
    },
  });
  const parameters = constants.map((_, i) => `k${i}`);
  const make = new Function('rt', ...parameters, `'use strict'; return (event, fields, head) => ${text};`);
  return make(conditionRuntime([]), ...constants) as ConditionTest;
}
