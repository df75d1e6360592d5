import type { AccessSettings } from '../../runtime/settings/index.js';

/** What a browser needs to have someone sign in with an OpenID provider: nothing of it is secret. */
export interface SignInProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  readonly resource: string | null;
}

/** `null`: the settings name no provider, or no client of the console there. */
export function signInProvider({ oidc }: AccessSettings): SignInProvider | null {
  const { issuer, clientId, scope, resource = null } = oidc;
  return issuer === undefined || clientId === undefined ? null : { issuer, clientId, scope, resource };
}
