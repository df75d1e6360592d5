import { useState } from 'preact/hooks';
import { apiKey } from '../api/client.js';
import { useTitle } from '../lib/hooks.js';

/** Shown when the service asks who this is. */
export function SignIn({ onDone }: { readonly onDone: () => void }) {
  useTitle('Sign in');
  const [refused] = useState(apiKey.get() !== null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get('key') ?? '').trim();
    if (key === '') return;
    apiKey.set(key);
    onDone();
  };
  return (
    <main class="sign-in">
      <form class="panel" onSubmit={submit}>
        <div class="brand">
          <img src="./icon.svg" alt="" /> stakeout
        </div>
        <h1>Sign in</h1>
        <p class="soft">This service asks for an API key. It is kept in this tab until you close it.</p>
        {refused && (
          <div class="note critical" role="alert">
            The service did not accept the key. Ask whoever runs it for one.
          </div>
        )}
        <label class="field">
          API key
          <input class="input" type="password" name="key" autocomplete="current-password" required autofocus />
        </label>
        <button type="submit" class="button main-action">
          Sign in
        </button>
      </form>
    </main>
  );
}
