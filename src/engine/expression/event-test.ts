import type { EngineEvent } from '../event.js';
import type { Expr } from './expression.js';
import { generateTest } from './generate.js';
import { functionOf } from './generated.js';
import { type Lists, listsOr } from './lists.js';
import { conditionRuntime } from './runtime.js';

/** A condition on the event alone, as a function. `fields` is `event.fields`. */
export type EventTest = (event: EngineEvent, fields: Readonly<Record<string, unknown>>) => boolean;

/** Throws for a condition that looks at events of a run, at features or at the key. */
export function compileEventTest(expr: Expr, lists?: Lists): EventTest {
  const constants: unknown[] = [];
  const refuse = (): never => {
    throw new Error('the condition must look at the event alone');
  };
  const text = generateTest(expr, {
    stepIndex: refuse,
    constant: (value) => `constants[${constants.push(value) - 1}]`,
    feature: refuse,
    key: refuse,
    lists: (list) => listsOr(lists, list),
  });
  return functionOf(['rt', 'constants'], text)(conditionRuntime([]), constants) as EventTest;
}
