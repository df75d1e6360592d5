import { credential } from '../session/credential.js';
import type { Diagnostic } from './types.js';

/** HTTP to the service this page came from. Addresses are relative, so that the console works behind any path. */

export interface ProblemItem {
  readonly path: string;
  readonly message: string;
}

/** A failed request: the service's problem details, or what the browser said of the network. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** 0: the service was not reached. */
    readonly status: number,
    readonly code: string,
    readonly errors: readonly ProblemItem[] = [],
    /** Of rules: errors with their places. */
    readonly diagnostics: readonly Diagnostic[] = [],
  ) {
    super(message);
  }
}

type Listener = () => void;
const asked = new Set<Listener>();

/** Calls back when the service asks who this is. Answers with a function that ends it. */
export function onUnauthorized(listener: Listener): () => void {
  asked.add(listener);
  return () => asked.delete(listener);
}

async function headers(more: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const brought = await credential();
  return { ...more, ...(brought === null ? {} : { authorization: `Bearer ${brought}` }) };
}

export type Query = Readonly<Record<string, string | number | undefined | null>>;

/** The path with the parameters that are there. */
export function withQuery(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Throws `ApiError`. */
export async function call(
  path: string,
  { method = 'GET', query, body, signal, headers: more }: Request = {},
): Promise<Response> {
  const sent = await headers({ ...more, ...(body === undefined ? {} : { 'content-type': 'application/json' }) });
  let answer: Response;
  try {
    answer = await fetch(withQuery(path, query), {
      ...{ method, signal: signal ?? null, credentials: 'same-origin', headers: sent },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError('The service does not answer. Is it running?', 0, 'AWAY');
  }
  if (answer.ok) return answer;
  if (answer.status === 401) for (const listener of asked) listener();
  throw await problemOf(answer);
}

export async function json<T>(path: string, request?: Request): Promise<T> {
  return (await (await call(path, request)).json()) as T;
}

interface ProblemBody {
  readonly detail?: string;
  readonly title?: string;
  readonly code?: string;
  readonly errors?: readonly ProblemItem[];
  readonly diagnostics?: readonly Diagnostic[];
}

export async function problemOf(answer: Response): Promise<ApiError> {
  // A proxy in between answers in a language of its own.
  const body = (await answer.json().catch(() => ({}))) as ProblemBody;
  const text = body.detail ?? body.title ?? `The service answered ${answer.status} ${answer.statusText}`.trim();
  return new ApiError(text, answer.status, body.code ?? String(answer.status), body.errors, body.diagnostics);
}
