import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
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

/** How often it is looked whether the file has changed. */
const LOOK_MS = 1000;

export interface ApiKeysOptions {
  /** Milliseconds, and only for differences. */
  readonly now: () => number;
  /** Told when the file has changed: `null`, or why it could not be read. */
  readonly onChange: (trouble: Error | null) => void;
}

/**
 * Those that the settings and their file name, by the hash of the key. A file that changes is read again, at the first question a second or more
 * after the last look; while it does not hold, those that it had count.
 */
export class ApiKeys {
  private known: ReadonlyMap<string, Principal>;
  private seen: string | null;
  private lookedAt: number;

  /** Throws `AccessError` for a file that does not hold. */
  constructor(
    private readonly settings: Pick<AccessSettings, 'keys' | 'keysFile'>,
    private readonly options: ApiKeysOptions,
  ) {
    this.seen = this.stamp();
    this.lookedAt = options.now();
    this.known = this.read();
  }

  /** How many there are. */
  get size(): number {
    return this.known.size;
  }

  get(hash: string): Principal | undefined {
    if (this.settings.keysFile !== undefined && this.options.now() - this.lookedAt >= LOOK_MS) this.look();
    return this.known.get(hash);
  }

  private look(): void {
    this.lookedAt = this.options.now();
    const stamp = this.stamp();
    if (stamp === this.seen) return;
    this.seen = stamp;
    try {
      this.known = this.read();
      this.options.onChange(null);
    } catch (error) {
      this.options.onChange(error as Error);
    }
  }

  /** Another one for another file, also behind a link of the same name, as Kubernetes has them; `null`: it is not there. */
  private stamp(): string | null {
    const stat = this.settings.keysFile === undefined ? undefined : statOf(this.settings.keysFile);
    return stat === undefined ? null : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`;
  }

  private read(): ReadonlyMap<string, Principal> {
    const { keys, keysFile } = this.settings;
    const inFile = keysFile === undefined ? {} : readKeys(keysFile);
    const all = [...Object.entries(keys), ...Object.entries(inFile)];
    return new Map(all.map(([name, { role, hash }]) => [hash!, new Principal(name, role, 'key')]));
  }
}

function statOf(file: string) {
  try {
    return statSync(file, { bigint: true });
  } catch {
    return undefined;
  }
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
