import { compileRuleSet } from '../../engine/index.js';
import { median } from '../measure/passes.js';
import { rulesOfTemplate } from '../workloads/rules.js';
import { variants } from '../workloads/variants.js';

/** A rule is added to many that run. */
export interface ReloadJob {
  readonly kind: 'reload';
  readonly workload: string;
  readonly patterns: number;
  /** How often it is done anew, for the median. */
  readonly passes: number;
}

export interface ReloadResult {
  readonly workload: string;
  readonly title: string;
  readonly patterns: number;
  /** Median time to read one rule, in ms. */
  readonly readMs: number;
  /** Median time to compile all from nothing, in ms. */
  readonly compileAllMs: number;
  /** Median time from the rule as read to a rule set that has it beside the others, in ms. */
  readonly addOneMs: number;
  readonly addOneLongestMs: number;
  /** What was compiled for the one that was added. */
  readonly patternsCompiled: number;
  readonly predicatesCompiled: number;
  /** Only the pattern that was added was compiled. */
  readonly countsAgree: boolean;
}

/** Times the compilation of a rule set, and of the same with one more rule. */
export async function runReload(job: ReloadJob, tell: (text: string) => void): Promise<ReloadResult> {
  const values = variants(job.patterns + 1).map((variant) => ({ ...variant }));
  tell(`reads ${values.length.toLocaleString('en-US')} rules`);
  const readFrom = performance.now();
  const rules = await rulesOfTemplate('w6.template.yaml', values);
  const readMs = (performance.now() - readFrom) / values.length;
  const all: number[] = [];
  const one: number[] = [];
  let patternsCompiled = 0;
  let predicatesCompiled = 0;
  for (let pass = 0; pass < job.passes; pass++) {
    tell(`pass ${pass + 1}`);
    const began = performance.now();
    const { compiler } = compileRuleSet(rules.slice(0, job.patterns));
    all.push(performance.now() - began);
    const before = { patterns: compiler.compiled, predicates: compiler.predicates.compiled };
    const addedAt = performance.now();
    compileRuleSet(rules, { compiler });
    one.push(performance.now() - addedAt);
    patternsCompiled = compiler.compiled - before.patterns;
    predicatesCompiled = compiler.predicates.compiled - before.predicates;
  }
  one.sort((a, b) => a - b);
  return {
    workload: job.workload,
    title: 'one rule is added to many',
    patterns: job.patterns,
    readMs,
    compileAllMs: median(all.sort((a, b) => a - b)),
    addOneMs: median(one),
    addOneLongestMs: one.at(-1)!,
    patternsCompiled,
    predicatesCompiled,
    countsAgree: patternsCompiled === 1,
  };
}
