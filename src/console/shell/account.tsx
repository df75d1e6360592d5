import { useMe } from '../lib/author.js';
import { Icon } from '../parts/icons.js';
import { forgetSession, session } from '../session/session.js';

/** Ends the session here and, of those who signed in with a provider, there. */
export async function signOut(): Promise<void> {
  const ended = session();
  forgetSession();
  // Without the provider one is signed out of this page all the same.
  if (ended?.kind === 'token')
    await import('../session/oidc.js').then((oidc) => oidc.signOut(ended)).catch(() => undefined);
}

/** Who is signed in, and the way out; nothing where nobody has to. */
export function Account({ onSignOut }: { readonly onSignOut: () => void }) {
  const { data } = useMe();
  if (data === null || data.by === 'none') return null;
  return (
    <div class="account">
      <span class="more cut" title={`Signed in as ${data.name}, ${data.role}`}>
        {data.name} <span class="faint">{data.role}</span>
      </span>
      <button type="button" class="button plain square" onClick={onSignOut} title={`Sign out ${data.name}`}>
        <Icon name="leave" />
        <span class="unseen">Sign out</span>
      </button>
    </div>
  );
}
