import { Store } from '../lib/store.js';
import { PENDING } from './session.js';

/** Why signing in with the provider did not work. */
export const signInTrouble = new Store<string | null>(null);

/** Where the provider has just sent one back, takes what it sent. Before anything is asked of the service. */
export async function comeBack(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const isAnswer = query.has('state') && (query.has('code') || query.has('error'));
  if (!isAnswer || sessionStorage.getItem(PENDING) === null) return;
  try {
    await (await import('./oidc.js')).takeAnswer(query);
  } catch (error) {
    // A refusal has its own words: access_denied, and what the provider says of it.
    const { error_description: said, message } = error as Error & { readonly error_description?: string };
    signInTrouble.set(said ?? message);
  }
}
