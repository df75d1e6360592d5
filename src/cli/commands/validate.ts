import { formatDiagnostic } from '../../rules/index.js';
import type { Output } from '../output.js';
import { bySeverity, loadRulesFor } from '../rules.js';

export interface ValidateOptions {
  readonly config?: string;
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Checks rule files: 0 without errors (warnings are allowed). */
export async function validate(paths: readonly string[], options: ValidateOptions, output: Output): Promise<number> {
  const { rules, diagnostics } = await loadRulesFor(paths, options.config);
  const { errors, warnings } = bySeverity(diagnostics);
  output.result({ errors, warnings }, () => {
    const summary = `${plural(rules.length, 'rule')} fine, ${plural(errors.length, 'error')}, ${plural(warnings.length, 'warning')}`;
    return [...diagnostics.map((d) => `${formatDiagnostic(d)}\n`), summary].join('\n');
  });
  return errors.length === 0 ? 0 : 1;
}
