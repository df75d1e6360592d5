import { setTimeout as pause } from 'node:timers/promises';
import type { SavepointSummary } from '../../../service/savepoints/savepoint-parts.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';
import { bodyOf, problemOf, request, trimmed } from '../../service-client.js';

/** What `POST /v1/savepoints` and `GET /v1/savepoints/{name}` answer. */
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
  const base = trimmed(url);
  let answer = await ask(`${base}/v1/savepoints`, 'POST');
  while (answer.state === 'running') {
    output.progress(`${answer.keysWritten.toLocaleString('en-US')} keys written`);
    await pause(POLL_MS);
    answer = await ask(`${base}/v1/savepoints/${encodeURIComponent(answer.name)}`, 'GET');
  }
  if (answer.savepoint === null) throw new CommandError(`No savepoint was written: ${answer.error ?? 'unknown error'}`);
  return answer.savepoint;
}

async function ask(url: string, method: 'GET' | 'POST'): Promise<Answer> {
  const response = await request(url, method);
  if (response.ok) return bodyOf<Answer>(response);
  throw new CommandError(`${method} ${url} answered ${response.status}: ${(await problemOf(response)).detail}`);
}
