/** Signing in with an OpenID provider: authorization code with PKCE (RFC 7636), all of it in this page. Loaded only where it is used. */
import * as oauth from 'oauth4webapi';
import type { Provider } from '../api/types.js';
import { forgetSession, keepSession, PENDING, session, type TokenSession } from './session.js';

/** What must be known again when the provider sends one back. */
interface Pending {
  readonly provider: Provider;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where one was. */
  readonly fragment: string;
}

const PROVIDER = 'stakeout.provider';

/** The page that one comes back to, as it is registered at the provider. */
const home = (): string => location.origin + location.pathname;

/** Test providers, and those on the same machine, speak plain HTTP; the service's settings say which it is. */
const options = ({ issuer }: Provider) => ({ [oauth.allowInsecureRequests]: issuer.startsWith('http:') });

async function metadataOf(provider: Provider): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(provider.issuer);
  const asked = { ...options(provider), signal: AbortSignal.timeout(10_000) };
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, asked));
}

const clientOf = ({ clientId }: Provider): oauth.Client => ({ client_id: clientId });

/** Providers ask for one or the other. */
const resourceOf = ({ resource }: Provider): Record<string, string> =>
  resource === null ? {} : { resource, audience: resource };

/**
 * Goes to the provider's page. Rejects where it cannot be asked. `asAnother`: the provider must ask who it is, though it knows someone; whom
 * it knows has no role here.
 */
export async function signIn(provider: Provider, asAnother: boolean): Promise<void> {
  const { authorization_endpoint: page } = await metadataOf(provider);
  if (page === undefined) throw new Error(`${provider.issuer} has no page to sign in`);
  const pending: Pending = {
    ...{ provider, state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce() },
    ...{ verifier: oauth.generateRandomCodeVerifier(), fragment: location.hash },
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const address = new URL(page);
  const parameters = {
    ...{ response_type: 'code', client_id: provider.clientId, redirect_uri: home(), scope: provider.scope },
    ...{ state: pending.state, nonce: pending.nonce },
    ...{ code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier), code_challenge_method: 'S256' },
    ...resourceOf(provider),
    ...(asAnother ? { prompt: 'login' } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  location.assign(address);
}

/** Takes what the provider sent. Rejects with what went wrong; either way one is at the address of before. */
export async function takeAnswer(query: URLSearchParams): Promise<void> {
  const { provider, state, nonce, verifier, fragment } = JSON.parse(sessionStorage.getItem(PENDING)!) as Pending;
  sessionStorage.removeItem(PENDING);
  // Codes are good for one use: loading the page again must not bring this one again.
  history.replaceState(null, '', home() + fragment);
  const metadata = await metadataOf(provider);
  const client = clientOf(provider);
  const checked = oauth.validateAuthResponse(metadata, client, query, state);
  const answer = await oauth.authorizationCodeGrantRequest(metadata, client, oauth.None(), checked, home(), verifier, {
    ...options(provider),
    additionalParameters: resourceOf(provider),
  });
  const tokens = await oauth.processAuthorizationCodeResponse(metadata, client, answer, { expectedNonce: nonce });
  sessionStorage.setItem(PROVIDER, JSON.stringify(provider));
  keepSession(sessionOf(tokens, null));
}

export async function renew(before: TokenSession): Promise<void> {
  const provider = providerOfSession();
  if (provider === null || before.refreshToken === null) return;
  const metadata = await metadataOf(provider);
  const client = clientOf(provider);
  const answer = await oauth.refreshTokenGrantRequest(metadata, client, oauth.None(), before.refreshToken, {
    ...options(provider),
    additionalParameters: resourceOf(provider),
  });
  const tokens = await oauth.processRefreshTokenResponse(metadata, client, answer);
  // One may have signed out meanwhile.
  if (session() !== null) keepSession(sessionOf(tokens, before));
}

/** Forgets who was here, and has the provider forget it, too, where it has a page for that. */
export async function signOut(ended: TokenSession): Promise<void> {
  const provider = providerOfSession();
  forgetSession();
  sessionStorage.removeItem(PROVIDER);
  const page = provider === null ? undefined : (await metadataOf(provider)).end_session_endpoint;
  if (provider === null || page === undefined) return;
  const address = new URL(page);
  address.searchParams.set('client_id', provider.clientId);
  address.searchParams.set('post_logout_redirect_uri', home());
  if (ended.idToken !== null) address.searchParams.set('id_token_hint', ended.idToken);
  location.assign(address);
}

function providerOfSession(): Provider | null {
  const text = sessionStorage.getItem(PROVIDER);
  return text === null ? null : (JSON.parse(text) as Provider);
}

function sessionOf(tokens: oauth.TokenEndpointResponse, before: TokenSession | null): TokenSession {
  const { access_token: accessToken, expires_in: seconds, refresh_token: refresh, id_token: id } = tokens;
  return {
    ...{ kind: 'token', accessToken },
    expiresAt: seconds === undefined ? null : Date.now() + seconds * 1000,
    refreshToken: refresh ?? before?.refreshToken ?? null,
    idToken: id ?? before?.idToken ?? null,
  };
}
