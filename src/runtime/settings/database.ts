import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { databaseUrl, flag, path } from './setting.js';

/** The database that tables are read from where nothing else is said. */
export const databaseSchema = z.strictObject({
  url: databaseUrl.optional(
    'PostgreSQL (`postgres://…`) or MySQL (`mysql://…`) to read tables from, where a list or a stream names no other.',
    { env: ['DATABASE_URL'], secret: true },
  ),
  tls: z
    .strictObject({
      enabled: flag.default(false, 'Talk TLS with databases that tables are read from.'),
      ca: path.optional('PEM file of the authorities to trust.', { defaultText: 'those of Node.js' }),
      certificate: path.optional('PEM file of our own certificate, for mutual TLS.'),
      key: path.optional('PEM file of our own private key, for mutual TLS.'),
      verify: flag.default(true, 'Refuse a server whose certificate does not hold. Only switch off to find a fault.'),
    })
    .prefault({}),
});

export type DatabaseSettings = z.output<typeof databaseSchema>;

/** How to reach a database. Throws what reading the files of TLS throws. */
export function databaseOptions({ url: common, tls }: DatabaseSettings, own: string | undefined, timeoutMs: number) {
  const url = own ?? common;
  if (url === undefined) throw new Error('there is no database.url');
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file, 'utf8'));
  const { enabled, verify } = tls;
  if (!enabled) return { url, timeoutMs };
  return { url, timeoutMs, tls: { ca: read(tls.ca), certificate: read(tls.certificate), key: read(tls.key), verify } };
}
