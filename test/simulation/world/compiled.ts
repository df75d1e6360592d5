import type { RuleSetVersion } from '../../../src/runtime/journal/rule-set-version.js';
import type { Clock } from '../../../src/runtime/ports/clock.js';
import { Compilers } from '../../../src/runtime/task/compilers.js';
import { Task } from '../../../src/runtime/task/task.js';
import { SILENT } from '../../../src/runtime/task/task-options.js';
import { stream } from '../../harness/lane-kit.js';
import { VERSIONS } from './versions.js';

export const STOPPED: Clock = { now: () => 0, schedule: () => () => undefined };

let all: Compilers | null = null;
const alone = new Map<RuleSetVersion, Compilers>();

/** All versions, compiled in one order whatever world comes first, so that a seed does the same wherever it runs. */
export function compiledBefore(): Compilers {
  all ??= compiled(VERSIONS);
  return all;
}

/** One version, by a compiler that has seen no rules of others before. */
export function compiledAlone(version: RuleSetVersion): Compilers {
  const made = alone.get(version) ?? compiled([version]);
  alone.set(version, made);
  return made;
}

function compiled(versions: readonly RuleSetVersion[]): Compilers {
  const compilers = new Compilers();
  const parts = { partition: { topic: 'rows', partition: 0 }, stream, clock: STOPPED, output: SILENT, compilers };
  for (const ruleSet of versions) new Task({ ...parts, ruleSet }).close();
  return compilers;
}
