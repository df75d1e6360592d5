import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../runtime/ports/clock.js';
import type { Settings } from '../runtime/settings/index.js';
import type { BackgroundPart } from './parts.js';

const LOOK_MS = 60_000;

interface Pair {
  readonly cert: string;
  readonly key: string;
}

export class HttpTlsError extends Error {
  readonly code = 'HTTP_TLS';
}

/** Certificate and key of our own HTTP; `null`: it is plain. Throws `HttpTlsError` where they cannot be read, or are none. */
export function httpTls({ http: { tls } }: Pick<Settings, 'http'>): Pair | null {
  // The settings refuse one without the other.
  if (tls.certificate === undefined || tls.key === undefined) return null;
  try {
    const pair = { cert: readFileSync(tls.certificate, 'utf8'), key: readFileSync(tls.key, 'utf8') };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    const why = (cause as Error).message;
    throw new HttpTlsError(`${tls.certificate} and ${tls.key} (http.tls) cannot be used: ${why}`, { cause });
  }
}

export interface RenewalOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  /** What has been read at the start. */
  readonly pair: Pair;
  readonly server: () => Pick<Server, 'setSecureContext'>;
  /** Told when they have changed: `null`, or why those before go on. */
  readonly onChange: (trouble: Error | null) => void;
}

/** Takes a renewed certificate into use for the connections to come, without a restart. Looks once a minute. */
export function tlsRenewal({ settings, clock, pair, server, onChange }: RenewalOptions): BackgroundPart {
  let cancel = (): void => undefined;
  let before = pair;
  let trouble = '';
  const look = (): void => {
    try {
      const now = httpTls(settings)!;
      if (now.cert !== before.cert || now.key !== before.key) {
        server().setSecureContext(now);
        before = now;
        onChange(null);
      }
      trouble = '';
    } catch (error) {
      // Certificate and key are two files: for a moment they may not fit together.
      if ((error as Error).message !== trouble) onChange(error as Error);
      trouble = (error as Error).message;
    }
    cancel = clock.schedule(LOOK_MS, look);
  };
  return {
    name: 'renewal of the certificate',
    start: async () => {
      cancel = clock.schedule(LOOK_MS, look);
    },
    stop: async () => cancel(),
  };
}
