import { readFileSync } from 'node:fs';

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

/** Reads the files that the settings name; throws where one cannot be read. */
export function redisConnection({ username, password, tls }: Wanted): RedisConnection {
  const read = (name: 'ca' | 'cert' | 'key', path: string | undefined) =>
    path === undefined ? {} : { [name]: readFileSync(path) };
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    tls: {
      ...read('ca', tls.ca),
      ...read('cert', tls.certificate),
      ...read('key', tls.key),
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
