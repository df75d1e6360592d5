import { createHash, timingSafeEqual } from 'node:crypto';
import { type AccessSettings, mustLogIn } from '../../runtime/settings/index.js';
import { ApiKeys, type ApiKeysOptions, hashOfKey } from './api-keys.js';
import { OidcTokens } from './oidc.js';
import { ANYONE, PEER, type Principal } from './principal.js';

/** What comes with a request. */
export interface Credentials {
  readonly authorization?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** Knows callers by what they bring. Throws `AccessError` when it is made and its keys cannot be read. */
export class Access {
  /** Callers must say who they are. */
  readonly isOn: boolean;
  private readonly keys: ApiKeys;
  private readonly tokens: OidcTokens | null;
  private readonly peerHash: Buffer | null;

  constructor(settings: AccessSettings, options: ApiKeysOptions) {
    const { oidc, peerSecret } = settings;
    this.isOn = mustLogIn(settings);
    this.keys = new ApiKeys(settings, options);
    this.tokens = oidc.issuer === undefined ? null : new OidcTokens({ ...oidc, issuer: oidc.issuer });
    this.peerHash = peerSecret === undefined ? null : digest(peerSecret);
  }

  get hasKeys(): boolean {
    return this.keys.size > 0;
  }

  /** `null`: nobody who is known. Rejects with `ProviderAwayError`. */
  async principalOf({ authorization, apiKey }: Credentials): Promise<Principal | null> {
    if (!this.isOn) return ANYONE;
    const credential = apiKey ?? /^Bearer\s+(.*\S)\s*$/i.exec(authorization ?? '')?.[1];
    if (credential === undefined) return null;
    // Looked up by its hash: how long that takes tells nothing of the keys there are.
    const known = this.keys.get(hashOfKey(credential));
    if (known !== undefined) return known;
    if (this.peerHash !== null && timingSafeEqual(digest(credential), this.peerHash)) return PEER;
    const isToken = credential.split('.').length === 3;
    return isToken && this.tokens !== null ? this.tokens.principalOf(credential) : null;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
