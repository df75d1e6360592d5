import { HttpException } from '@nestjs/common';
import type { Diagnostic } from '../../rules/index.js';

/** One thing that is wrong with what was sent. */
export interface ProblemItem {
  /** Where: `[3].amount`, `limit`. */
  readonly path: string;
  readonly message: string;
}

export interface ProblemBody {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  /** Fixed, for programs. */
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly ProblemItem[];
  /** Of rules: errors with their places, as `stakeout validate --json` gives them. */
  readonly diagnostics?: readonly Diagnostic[];
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  409: 'Conflict',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export function problemBody(
  status: number,
  code: string,
  detail: string,
  errors?: readonly ProblemItem[],
): ProblemBody {
  return { type: 'about:blank', title: titles[status] ?? 'Error', status, code, detail, ...(errors ? { errors } : {}) };
}

/** An answer in the form of RFC 9457. */
export class Problem extends HttpException {
  constructor(
    readonly body: ProblemBody,
    options?: { readonly cause?: unknown },
  ) {
    super({ ...body }, body.status, options);
  }
}

export function invalidInput(detail: string, errors: readonly ProblemItem[], status = 400): Problem {
  return new Problem(problemBody(status, 'INVALID_INPUT', detail, errors));
}

export function notFound(detail: string): Problem {
  return new Problem(problemBody(404, 'NOT_FOUND', detail));
}

export function unavailable(code: string, detail: string, cause?: unknown): Problem {
  return new Problem(problemBody(503, code, detail), { cause });
}
