/** Who is signed in, by what they brought. Kept until the tab is closed, and never longer: it opens what its owner may open. */

export interface KeySession {
  readonly kind: 'key';
  readonly key: string;
}

export interface TokenSession {
  readonly kind: 'token';
  readonly accessToken: string;
  /** Milliseconds since 1970; null: not told. */
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  /** Signs out at the provider, too. */
  readonly idToken: string | null;
}

export type Session = KeySession | TokenSession;

const NAME = 'stakeout.session';
/** Where it stands that one is at the provider's page. */
export const PENDING = 'stakeout.signing-in';

export function session(): Session | null {
  const text = sessionStorage.getItem(NAME);
  return text === null ? null : (JSON.parse(text) as Session);
}

export const keepSession = (kept: Session): void => sessionStorage.setItem(NAME, JSON.stringify(kept));
export const forgetSession = (): void => sessionStorage.removeItem(NAME);

/** So long before its end a token is not used any more: a request takes a while, and clocks differ. */
const MARGIN_MS = 20_000;

export const hasEnded = ({ expiresAt }: TokenSession, now: number): boolean =>
  expiresAt !== null && expiresAt - MARGIN_MS <= now;
