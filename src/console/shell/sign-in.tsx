import { useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Provider } from '../api/types.js';
import { useResource, useTitle } from '../lib/hooks.js';
import { useStore } from '../lib/store.js';
import { Loaded } from '../parts/basics.js';
import { signInTrouble } from '../session/returning.js';
import { hasEnded, keepSession, type Session, session } from '../session/session.js';

interface SignInProps {
  readonly onDone: () => void;
}

/** Shown when the service asks who this is. */
export function SignIn({ onDone }: SignInProps) {
  useTitle('Sign in');
  const login = useResource((signal) => api.login(signal), []);
  const [before] = useState(session);
  const trouble = useStore(signInTrouble);
  const said = trouble === null ? refusal(before) : `You could not be signed in: ${trouble}`;
  return (
    <main class="sign-in">
      <div class="panel">
        <div class="brand">
          <img src="./icon.svg" alt="" /> stakeout
        </div>
        <h1>Sign in</h1>
        {said !== null && (
          <div class="note critical" role="alert">
            {said}
          </div>
        )}
        <Loaded of={login}>
          {({ provider, keys }) => (
            <>
              {provider !== null && <WithProvider provider={provider} asAnother={isRefused(before)} />}
              {provider !== null && keys && <p class="or faint">or</p>}
              {(keys || provider === null) && <WithKey alone={provider === null} onDone={onDone} />}
            </>
          )}
        </Loaded>
      </div>
    </main>
  );
}

/** The provider knows who it is, and the service has no role for them. */
const isRefused = (before: Session | null): boolean => before?.kind === 'token' && !hasEnded(before, Date.now());

/** Why one is asked again. */
function refusal(before: Session | null): string | null {
  if (before === null) return null;
  if (before.kind === 'key') return 'The service did not accept the key. Ask whoever runs it for one.';
  return isRefused(before)
    ? 'This service has no role for your account. Ask whoever runs it, or sign in with another one.'
    : 'Your sign-in has ended. Sign in again: what you were writing is still there.';
}

function WithProvider({ provider, asAnother }: { readonly provider: Provider; readonly asAnother: boolean }) {
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      await (await import('../session/oidc.js')).signIn(provider, asAnother);
    } catch (error) {
      setBusy(false);
      signInTrouble.set(`${provider.issuer} cannot be asked (${(error as Error).message})`);
    }
  };
  return (
    <button type="button" class="button main-action" disabled={busy} autofocus onClick={() => void go()}>
      Continue with {new URL(provider.issuer).host}
    </button>
  );
}

function WithKey({ alone, onDone }: SignInProps & { readonly alone: boolean }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get('key') ?? '').trim();
    if (key === '') return;
    signInTrouble.set(null);
    keepSession({ kind: 'key', key });
    onDone();
  };
  return (
    <form onSubmit={submit}>
      <label class="field">
        API key
        <input class="input" type="password" name="key" autocomplete="current-password" required autofocus={alone} />
      </label>
      <p class="faint">It is kept in this tab until you close it or sign out.</p>
      <button type="submit" class={`button ${alone ? 'main-action' : ''}`}>
        Sign in with the key
      </button>
    </form>
  );
}
