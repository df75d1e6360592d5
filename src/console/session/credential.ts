import { hasEnded, session } from './session.js';

let renewing: Promise<void> | null = null;

/** What goes with a request; null: nobody has signed in. A token that comes to its end is renewed before, where the provider lets us. */
export async function credential(): Promise<string | null> {
  const now = session();
  if (now === null) return null;
  if (now.kind === 'key') return now.key;
  if (!hasEnded(now, Date.now()) || now.refreshToken === null) return now.accessToken;
  // One at a time: a refresh token is good for one use.
  renewing ??= import('./oidc.js')
    .then(({ renew }) => renew(now))
    // The service then says that the old one is not good any more.
    .catch(() => undefined)
    .finally(() => {
      renewing = null;
    });
  await renewing;
  const renewed = session();
  return renewed?.kind === 'token' ? renewed.accessToken : now.accessToken;
}
