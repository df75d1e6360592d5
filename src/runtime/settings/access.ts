import { z } from 'zod';
import { choice, path, text, texts, url } from './setting.js';
import { getAt, isTree, type Path, type Tree } from './tree.js';

/** What someone may do; each may all that those before it may. */
export const ROLES = ['viewer', 'analyst', 'approver', 'operator'] as const;
export type Role = (typeof ROLES)[number];

const keySchema = z.strictObject({
  role: choice(ROLES).default('viewer', 'What those who have the key may do.'),
  hash: text.optional(
    'SHA-256 of the key, in hex, as `stakeout key` prints it; the key itself is kept by its owner alone. It must be given.',
  ),
});

export const accessSchema = z.strictObject({
  keys: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]*$/), keySchema).prefault({}),
  keysFile: path.optional(
    'YAML file of further API keys, a map as `access.keys` is; for a secret that is mounted. It is read again when it changes.',
  ),
  oidc: z
    .strictObject({
      issuer: url.optional('OpenID provider whose tokens are accepted, as it names itself (`iss`).'),
      audience: text.default('stakeout', 'What tokens must be meant for (`aud`).'),
      nameClaim: text.default('preferred_username', 'Claim with the name of the caller; `sub` where it is not there.'),
      clientId: text.optional(
        'Client of the console at the provider: a public one, with authorization code and PKCE. Without it, one signs in to the console with API keys alone.',
      ),
      scope: text.default('openid profile', 'Scopes that the console asks the provider for.'),
      resource: text.optional(
        'What the console asks an access token for (`resource` of RFC 8707, and `audience`), where the provider makes tokens for us only then.',
      ),
      rolesClaim: text.default('roles', 'Claim with roles or groups; dots part its levels (`realm_access.roles`).'),
      viewer: texts.default(['viewer'], 'Values of that claim which make a viewer.'),
      analyst: texts.default(['analyst'], 'Values of that claim which make an analyst.'),
      approver: texts.default(['approver'], 'Values of that claim which make an approver.'),
      operator: texts.default(['operator'], 'Values of that claim which make an operator.'),
    })
    .prefault({}),
  peerSecret: text.optional(
    'Secret that all instances share, with which they ask each other about keys. Needed where `http.advertise` is set and callers must log in.',
    { secret: true },
  ),
  personal: choice(ROLES).default('analyst', 'Least role that sees personal fields; for others they are masked.'),
  personalFields: texts.default(
    [],
    'Fields that are personal, beside those that schemas tag with `"pii": true`: masked by role, and never logged.',
  ),
  pseudonymKey: text.optional(
    'Secret of at least 32 characters, the same for all instances. Where it is set, alerts have pseudonyms in the place of personal values.',
    { secret: true, defaultText: 'none: alerts have the values' },
  ),
});

export type AccessSettings = z.output<typeof accessSchema>;

/** Whether callers must say who they are. */
export const mustLogIn = ({ keys, keysFile, oidc }: AccessSettings): boolean =>
  Object.keys(keys).length > 0 || keysFile !== undefined || oidc.issuer !== undefined;

type Add = (path: Path, expected: string, got: string) => void;

const PSEUDONYM_KEY_MIN = 32;

/** What single settings of access cannot show. */
export function accessConflicts(tree: Tree, add: Add): void {
  const { access } = tree;
  if (!isTree(access)) return;
  const keys = isTree(access.keys) ? Object.entries(access.keys) : [];
  for (const [name, key] of keys) {
    const hash = isTree(key) ? key.hash : undefined;
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))
      add(['access', 'keys', name, 'hash'], '64 hex digits, as `stakeout key` prints them', 'something else');
  }
  const { pseudonymKey } = access;
  if (typeof pseudonymKey === 'string' && pseudonymKey.length < PSEUDONYM_KEY_MIN)
    add(['access', 'pseudonymKey'], `a secret of at least ${PSEUDONYM_KEY_MIN} characters`, 'a shorter one');
  const login = keys.length > 0 || access.keysFile !== undefined || getAt(access, ['oidc', 'issuer']) !== undefined;
  if (login && getAt(tree, ['http', 'advertise']) !== undefined && access.peerSecret === undefined)
    add(['access', 'peerSecret'], 'a secret, because http.advertise is set and callers must log in', 'nothing');
}
