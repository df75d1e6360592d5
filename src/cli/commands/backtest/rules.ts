import { BASELINE } from '../../../backtest/findings/collector.js';
import { type Plan, planOf } from '../../../backtest/plan/plan.js';
import { gridOf, parseSweep } from '../../../backtest/plan/sweep.js';
import { parametersOf } from '../../../rules/index.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';
import { loadOrFail, openOrFail, type Readable } from '../files.js';

export interface PlannedRules {
  readonly plan: Plan;
  /** Values of the parameters in the last rule sets of the plan. */
  readonly sweep: readonly ReadonlyMap<string, string>[];
  /** Of the parameters in the rules. */
  readonly defaults: ReadonlyMap<string, string | null>;
}

interface RuleOptions {
  readonly profile?: string;
  readonly patterns?: string;
  readonly rules?: readonly string[];
  readonly baseline?: string;
  readonly sweep?: readonly string[];
}

/** The rules that a back-test is asked for: those to be measured, a baseline, and one set for each point of a sweep. */
export async function plannedRules(
  options: RuleOptions,
  settings: Settings,
  readable: Readable,
  output: Output,
): Promise<PlannedRules> {
  const ofProfile = options.profile === undefined ? undefined : settings.backtest.profiles[options.profile]?.patterns;
  const path = options.patterns ?? ofProfile ?? settings.patterns;
  const chosen = options.rules === undefined ? {} : { only: options.rules };
  const { rules, texts } = await loadOrFail(path, readable, output, chosen);
  const defaults = new Map(rules.flatMap((rule) => [...parametersOf(texts.get(rule.source) ?? '')]));
  const swept = await openOrFail(async () => (options.sweep ?? []).map(parseSweep));
  for (const { name } of swept) if (!defaults.has(name)) throw unknownParameter(name, defaults);
  const quiet: Output = { ...output, say: () => {} };
  const sweep = swept.length === 0 ? [] : await openOrFail(async () => gridOf(swept));
  const sets: (readonly [string, Awaited<ReturnType<typeof loadOrFail>>['rules']])[] = [];
  if (options.baseline !== undefined) {
    sets.push([BASELINE, (await loadOrFail(options.baseline, readable, output)).rules]);
  }
  for (const values of sweep) {
    const name = [...values].map(([parameter, value]) => `${parameter}=${value}`).join(' ');
    sets.push([name, (await loadOrFail(path, readable, quiet, { ...chosen, parameters: values })).rules]);
  }
  return { plan: planOf(rules, sets), sweep, defaults };
}

function unknownParameter(name: string, known: ReadonlyMap<string, unknown>): CommandError {
  const names = known.size === 0 ? 'they have none' : `they have ${[...known.keys()].join(', ')}`;
  return new CommandError(
    `--sweep: the rules have no parameter ${name}; ${names}. A parameter is written \${${name}:DEFAULT} in a rule.`,
  );
}
