import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiQuery } from '@nestjs/swagger';
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

/** In OpenAPI: what a change takes beside its body, which says nothing of who and why. */
export const ApiSignedInQuery = (): MethodDecorator =>
  applyDecorators(
    ApiQuery({ name: 'author', required: false, type: String, description: 'Who, where nobody has to log in.' }),
    ApiQuery({ name: 'message', required: false, type: String, description: 'Why.' }),
    ApiOnlyFrom(),
  );

/** In OpenAPI: a change of what somebody has seen, and of nothing newer. */
export const ApiOnlyFrom = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that is meant; 412 where it is another.' }),
    ApiHeader({ name: 'If-None-Match', required: false, description: '`*`: only where there is none yet.' }),
  );

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
