import type { Diagnostic } from '../rules/index.js';
import type { Settings } from '../runtime/settings/index.js';
import { CommandError } from './command-error.js';
import { settingsOrFail } from './settings.js';

/** How a command names the service that it speaks to. */
export interface ServiceOptions {
  readonly config?: string;
  readonly to?: string;
}

/** What the service says is wrong (RFC 9457), as far as it says so. */
export interface ProblemAnswer {
  readonly detail: string;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface Sent {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

export const NAME_IT = '. Name the service with --to http://…';

/** Nobody listens there; `cause` has what the system says. */
export class NoAnswer extends CommandError {
  constructor(
    readonly url: string,
    readonly why: string,
    options: ErrorOptions,
    hint = '',
  ) {
    super(`${url} does not answer: ${why}${hint}`, options);
  }
}

export const jsonBody = (value: unknown): Sent => ({ type: 'application/json', body: JSON.stringify(value) });

/** Where the service that `--to` names listens, else that of the config on this machine; without a slash at the end. */
export function serviceUrl({ to, config }: ServiceOptions): string {
  return trimmed(to ?? urlOf(settingsOrFail(config ?? process.env.STAKEOUT_CONFIG)));
}

export function urlOf({ http: { host, port, tls } }: Settings): string {
  return `${tls.certificate === undefined ? 'http' : 'https'}://${host === '0.0.0.0' ? 'localhost' : host}:${port}`;
}

export const trimmed = (url: string): string => url.replace(/\/+$/, '');

/** Not an option of the commands: what is written there is seen by everyone on the machine. */
function credentials(): Record<string, string> {
  const key = process.env.STAKEOUT_API_KEY;
  return key === undefined || key === '' ? {} : { authorization: `Bearer ${key.trim()}` };
}

/** The service's answer, whatever its status. Throws `NoAnswer`. */
export async function request(url: string, method: string, sent?: Sent): Promise<Response> {
  const headers = { ...credentials(), ...(sent === undefined ? {} : { 'content-type': sent.type }) };
  try {
    return await fetch(url, { method, headers, ...(sent === undefined ? {} : { body: sent.body }) });
  } catch (error) {
    // What fetch itself says is always "fetch failed".
    const { cause, message } = error as Error;
    throw new NoAnswer(url, cause instanceof Error ? cause.message : message, { cause: error });
  }
}

/** The answer of a request that went well. */
export async function bodyOf<Body>(response: Response): Promise<Body> {
  return (await response.json().catch((error: Error) => {
    throw new CommandError(`${response.url} answered something that is not JSON: is it a stakeout service?`, {
      cause: error,
    });
  })) as Body;
}

/** What is wrong, of an answer that is not good. */
export async function problemOf(response: Response): Promise<ProblemAnswer> {
  const body = (await response.json().catch(() => null)) as Partial<ProblemAnswer> | null;
  return {
    detail: body?.detail ?? response.statusText,
    errors: body?.errors ?? [],
    diagnostics: body?.diagnostics ?? [],
  };
}

/** A request to a part of the service, and its answer if it is good. Throws what the service says is wrong, and `NoAnswer`. */
export async function askService(
  options: ServiceOptions,
  method: string,
  path: string,
  sent?: Sent,
): Promise<Response> {
  const base = serviceUrl(options);
  const response = await request(`${base}${path}`, method, sent).catch((error: unknown) => {
    throw error instanceof NoAnswer ? new NoAnswer(base, error.why, { cause: error.cause }, NAME_IT) : error;
  });
  if (response.ok) return response;
  const { detail, errors } = await problemOf(response);
  const items = errors.map((item) => `\n  ${item.path}: ${item.message}`);
  throw new CommandError(`Nothing was changed: ${detail}${items.join('')}`);
}
