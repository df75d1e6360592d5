import type { Principal } from '../access/principal.js';
import { invalidInput, Problem, problemBody } from '../problems/problem.js';
import { refusedRules } from './refused-rules.js';
import { RevisionError, RulebookConflictError, RulesRefusedError, type Signature } from './rule-control.js';
import type { AppliedDto } from './rules.dto.js';

/** Who asks for a change, and why, as it is kept. */
export function signatureOf(caller: Principal, sent: unknown): Signature {
  const { author, message = '' } = (sent ?? {}) as { readonly author?: unknown; readonly message?: unknown };
  if (typeof message !== 'string') throw invalidInput('Why?', [{ path: 'message', message: 'a text' }]);
  return { author: caller.signs(author), message };
}

/** What a change came to; throws problems for those that were refused. */
export async function answered(act: () => Promise<AppliedDto>): Promise<AppliedDto> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RulesRefusedError) throw refusedRules(error.diagnostics, error);
    if (error instanceof RevisionError || error instanceof RulebookConflictError)
      throw new Problem(problemBody(409, error.code, error.message), { cause: error });
    throw error;
  }
}
