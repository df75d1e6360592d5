import { readFile } from 'node:fs/promises';

export interface OauthClient {
  /** Where tokens are given out, by the grant of client credentials. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
}

const TIMEOUT_MS = 10_000;
/** A token is not used any more this long before its end: a connection must still log in with it. */
const SPARE_MS = 30_000;

/** Brokers cannot be logged in to, because there is no token. */
export class OauthError extends Error {
  readonly code = 'KAFKA_OAUTH';
}

/** Tokens for OAUTHBEARER, fetched anew when the last one ends soon. `now`: milliseconds. */
export function clientToken(client: OauthClient, now: () => number): () => Promise<string> {
  let known: { readonly token: string; readonly until: number } | null = null;
  let asking: Promise<string> | null = null;
  const fetchToken = async (): Promise<string> => {
    const { token, seconds } = await askForToken(client);
    known = { token, until: now() + Math.max(0, seconds * 1000 - SPARE_MS) };
    return token;
  };
  return () => {
    if (known !== null && now() < known.until) return Promise.resolve(known.token);
    asking ??= fetchToken().finally(() => {
      asking = null;
    });
    return asking;
  };
}

/** A token that others keep fresh in a file, as Kubernetes does. */
export const fileToken = (path: string) => async (): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new OauthError(`the token for Kafka cannot be read: ${(cause as Error).message}`, { cause });
  }
};

async function askForToken({ tokenUrl, clientId, clientSecret, scope }: OauthClient) {
  const login = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
  const headers = { authorization: `Basic ${login}`, accept: 'application/json' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(tokenUrl, { method: 'POST', headers, body, signal, redirect: 'error' }).catch(
    (cause: Error) => {
      throw new OauthError(`${tokenUrl} does not answer: ${cause.message}`, { cause });
    },
  );
  const {
    access_token: token,
    expires_in: seconds,
    error,
  } = (await answer.json().catch(() => ({}))) as {
    access_token?: unknown;
    expires_in?: unknown;
    error?: unknown;
  };
  if (!answer.ok || typeof token !== 'string')
    throw new OauthError(
      `${tokenUrl} gives no token: ${answer.status}${typeof error === 'string' ? `, ${error}` : ''}`,
    );
  return { token, seconds: typeof seconds === 'number' ? seconds : 300 };
}
