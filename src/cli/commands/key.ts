import { ROLES, type Role } from '../../runtime/settings/index.js';
import { hashOfKey, newKey } from '../../service/access/api-keys.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';

export interface KeyOptions {
  readonly role: string;
}

/** Makes an API key. It is printed once, and nowhere kept: the settings have its hash. */
export async function makeKey(name: string, { role }: KeyOptions, output: Output): Promise<number> {
  if (!ROLES.includes(role as Role)) throw new CommandError(`--role is one of ${ROLES.join(', ')}, not ${role}`);
  const key = newKey();
  const hash = hashOfKey(key);
  output.result({ name, role, key, hash }, () =>
    [
      `The key of ${name}, to be sent as "Authorization: Bearer …"; it is shown this once:`,
      '',
      `  ${key}`,
      '',
      'And its hash, for the config (or the file that access.keysFile names, without "access: keys:"):',
      '',
      'access:',
      '  keys:',
      `    ${name}: {role: ${role}, hash: ${hash}}`,
    ].join('\n'),
  );
  return 0;
}
