import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { type AccessSettings, ROLES, type Role } from '../../runtime/settings/index.js';
import { Principal } from './principal.js';

/** Only signatures with a pair of keys: with a shared secret, or none, anyone who checks could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const TIMEOUT_MS = 5_000;
/** Clocks differ. */
const TOLERANCE_S = 30;

type Keys = ReturnType<typeof createRemoteJWKSet>;

/** The provider cannot be asked for its keys. */
export class ProviderAwayError extends Error {
  readonly code = 'OIDC_AWAY';
}

/** Tokens of an OpenID provider: signed by it, for us, not expired. */
export class OidcTokens {
  private keys: Promise<Keys> | null = null;

  constructor(private readonly settings: AccessSettings['oidc'] & { readonly issuer: string }) {}

  /** `null`: the token does not hold, or gives no role. Rejects with `ProviderAwayError`. */
  async principalOf(token: string): Promise<Principal | null> {
    const { issuer, audience, nameClaim } = this.settings;
    const keys = await this.providerKeys();
    let payload: JWTPayload;
    try {
      const options = {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: TOLERANCE_S,
        requiredClaims: ['exp'],
      };
      ({ payload } = await jwtVerify(token, keys, options));
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw away(issuer, error);
      return null;
    }
    const role = this.roleOf(payload);
    const name = claimAt(payload, nameClaim) ?? payload.sub;
    return role === null || typeof name !== 'string' || name === '' ? null : new Principal(name, role, 'token');
  }

  /** The highest that the token gives. */
  private roleOf(payload: JWTPayload): Role | null {
    const claim = claimAt(payload, this.settings.rolesClaim);
    const given = new Set(Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(/[\s,]+/) : []);
    return ROLES.findLast((role) => this.settings[role].some((value) => given.has(value))) ?? null;
  }

  private providerKeys(): Promise<Keys> {
    this.keys ??= this.discover().catch((error: unknown) => {
      this.keys = null;
      throw error;
    });
    return this.keys;
  }

  private async discover(): Promise<Keys> {
    const { issuer } = this.settings;
    try {
      const at = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
      const answer = await fetch(at, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
      if (!answer.ok) throw new Error(`${at} answers ${answer.status}`);
      const { issuer: named, jwks_uri: keys } = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
      if (named !== issuer) throw new Error(`${at} is of ${String(named)}: write access.oidc.issuer as it does`);
      return createRemoteJWKSet(new URL(String(keys)), { timeoutDuration: TIMEOUT_MS });
    } catch (error) {
      throw away(issuer, error);
    }
  }
}

const away = (issuer: string, cause: unknown): ProviderAwayError =>
  new ProviderAwayError(`the OpenID provider ${issuer} cannot be asked: ${(cause as Error).message}`, { cause });

/** `a.b`: `b` of `a`. A claim whose own name has dots (a URL) comes first. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (name in payload) return payload[name];
  return name.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], payload);
}
