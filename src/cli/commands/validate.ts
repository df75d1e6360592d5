import {
  findWitness,
  formatDiagnostic,
  formatWitness,
  lintOverlaps,
  type Rule,
  type Witness,
} from '../../rules/index.js';
import type { Output } from '../output.js';
import { bySeverity, loadRulesFor } from '../rules.js';
import { configFor } from '../settings.js';
import { testStreams } from './test.js';

export interface ValidateOptions {
  readonly config?: string;
  /** Also show for each rule a stream that fires it, and one that just does not. */
  readonly witness?: boolean;
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Checks rule files: 0 without errors (warnings are allowed). */
export async function validate(paths: readonly string[], options: ValidateOptions, output: Output): Promise<number> {
  const loaded = await loadRulesFor(paths, options.config);
  const { rules } = loaded;
  const diagnostics = [...loaded.diagnostics, ...lintOverlaps(loaded)];
  const { errors, warnings } = bySeverity(diagnostics);
  const witness = options.witness === true ? rules.map((rule) => witnessFor(rule, options.config)) : [];
  output.result({ errors, warnings, ...(options.witness === true && { witness }) }, () => {
    const summary = `${plural(rules.length, 'rule')} fine, ${plural(errors.length, 'error')}, ${plural(warnings.length, 'warning')}`;
    return [...diagnostics.map((d) => `${formatDiagnostic(d)}\n`), ...witness.map(formatWitness), summary].join('\n');
  });
  return errors.length === 0 ? 0 : 1;
}

const witnessFor = (rule: Rule, config: string | undefined): Witness =>
  findWitness(rule, testStreams(config ?? configFor(rule.source)));
