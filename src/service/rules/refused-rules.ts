import type { Diagnostic } from '../../rules/index.js';
import { Problem, problemBody } from '../problems/problem.js';

/** The answer to rules that do not hold: each error with its place. */
export function refusedRules(
  diagnostics: readonly Diagnostic[],
  { code, message }: { readonly code: string; readonly message: string } = {
    code: 'RULES_REFUSED',
    message: `${diagnostics.length === 1 ? 'an error' : `${diagnostics.length} errors`} in the rules`,
  },
): Problem {
  const errors = diagnostics.map((diagnostic) => ({
    path: `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`,
    message: [`${diagnostic.message} [${diagnostic.code}]`, diagnostic.hint].filter(Boolean).join(' '),
  }));
  return new Problem({ ...problemBody(422, code, message, errors), diagnostics });
}
