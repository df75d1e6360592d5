import { readTlsFiles } from '../../runtime/settings/index.js';

/** How to log in to Redis, and whom to trust, beside what its URL says. */
export interface RedisConnection {
  /** User and password of its ACL. Absent: as the URL says. */
  readonly username?: string;
  readonly password?: string;
  /** For `rediss://`. */
  readonly tls?: {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
    readonly rejectUnauthorized: boolean;
  };
}

interface Wanted {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls: {
    readonly ca?: string | undefined;
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
    readonly verify: boolean;
  };
}

/** Reads the files that the section `redis` of the settings names; throws `NamedFileError` where one cannot be read. */
export function redisConnection({ username, password, tls }: Wanted): RedisConnection {
  const { ca, certificate: cert, key } = readTlsFiles(tls, 'redis.tls');
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      rejectUnauthorized: tls.verify,
    },
  };
}

/** The same as the client takes it. */
export function clientOptions(url: string, { username, password, tls }: RedisConnection) {
  return {
    login: { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) },
    socket: url.startsWith('rediss:') && tls !== undefined ? { tls: true as const, ...tls } : {},
  };
}
