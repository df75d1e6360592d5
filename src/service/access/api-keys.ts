import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { type AccessSettings, ROLES } from '../../runtime/settings/index.js';
import { Principal } from './principal.js';

const PREFIX = 'sko_';

/** A new key: 256 random bits, so that a plain hash of it tells nothing, and guessing is in vain. */
export const newKey = (): string => `${PREFIX}${randomBytes(32).toString('base64url')}`;

export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('hex');

const fileSchema = z.record(
  z.string().min(1),
  z.strictObject({ role: z.enum(ROLES).default('viewer'), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
);

export class AccessError extends Error {
  readonly code = 'ACCESS_KEYS';
}

/** Those that the settings and their file name, by the hash of the key. Throws `AccessError` for a file that does not hold. */
export function knownKeys({ keys, keysFile }: AccessSettings): ReadonlyMap<string, Principal> {
  const inFile = keysFile === undefined ? {} : readKeys(keysFile);
  const all = [...Object.entries(keys), ...Object.entries(inFile)];
  return new Map(all.map(([name, { role, hash }]) => [hash!, new Principal(name, role, 'key')]));
}

function readKeys(file: string): z.output<typeof fileSchema> {
  let read: unknown;
  try {
    read = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new AccessError(`${file} (access.keysFile) cannot be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = fileSchema.safeParse(read ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AccessError(
    `${file} (access.keysFile): at ${issue!.path.join('.') || 'the top'}: expected a map of names to {role, hash}, with roles ${ROLES.join(', ')} and hashes of 64 hex digits, as stakeout key prints them`,
  );
}
