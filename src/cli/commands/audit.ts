import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';

export interface AuditOptions {
  readonly config?: string;
  readonly hash?: string;
}

/** Reads the whole history of the rules from their topic, and looks whether anyone has changed it. 0: nobody has. */
export async function audit(options: AuditOptions, output: Output): Promise<number> {
  const settings = settingsOrFail(options.config ?? process.env.STAKEOUT_CONFIG);
  const { openControl } = await import('../../service/rules/open-control.js');
  const opened = await openControl(settings, (text) => output.say(text)).catch((error: Error & { code?: unknown }) => {
    const hint = error.code === 'LOG_LOCKED' ? '\nAsk the running service: GET /v1/rules/audit.' : '';
    throw new CommandError(`${error.message}${hint}`, { cause: error });
  });
  try {
    const { hashes, ...found } = await opened.control.audit();
    const hasHash = options.hash === undefined ? true : hashes.includes(options.hash);
    const holds = found.intact && hasHash;
    output.result({ ...found, ...(options.hash === undefined ? {} : { hasHash }) }, () =>
      [
        `${settings.rules.topic}: ${found.entries} ${found.entries === 1 ? 'entry' : 'entries'}, each as it was written and following from the one before.`,
        ...(found.damage === null ? [] : [`DAMAGED: ${found.damage}. What comes after that place is not counted.`]),
        ...(hasHash ? [] : [`DAMAGED: no entry has the hash ${options.hash}.`]),
        ...(found.head === '' ? [] : [`The last one has the hash ${found.head}: keep a copy elsewhere, for --hash.`]),
      ].join('\n'),
    );
    return holds ? 0 : 1;
  } finally {
    await opened.close();
  }
}
