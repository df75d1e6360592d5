import { setTimeout as pause } from 'node:timers/promises';
import type { SavepointSummary } from '../../../service/savepoints/savepoint-parts.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';

/** What `POST /savepoints` and `GET /savepoints/{name}` answer. */
interface Answer {
  readonly name: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly keysWritten: number;
  readonly error: string | null;
  readonly savepoint: SavepointSummary | null;
}

const POLL_MS = 200;

/** Has a running service write a savepoint into its data folder, and waits for it. */
export async function createOverHttp(url: string, output: Output): Promise<SavepointSummary> {
  const base = url.replace(/\/+$/, '');
  let answer = await ask(`${base}/savepoints`, 'POST');
  while (answer.state === 'running') {
    output.progress(`${answer.keysWritten.toLocaleString('en-US')} keys written`);
    await pause(POLL_MS);
    answer = await ask(`${base}/savepoints/${encodeURIComponent(answer.name)}`, 'GET');
  }
  if (answer.savepoint === null) throw new CommandError(`No savepoint was written: ${answer.error ?? 'unknown error'}`);
  return answer.savepoint;
}

async function ask(url: string, method: 'GET' | 'POST'): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, { method });
  } catch (error) {
    const cause = (error as Error).cause;
    throw new CommandError(
      `${url} does not answer: ${cause instanceof Error ? cause.message : (error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as Answer;
  const detail = (body as { readonly detail?: string } | null)?.detail;
  throw new CommandError(`${method} ${url} answered ${response.status}: ${detail ?? response.statusText}`);
}
