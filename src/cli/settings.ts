import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { formatSettingsError, loadSettings, type Settings, type SettingsOverrides } from '../runtime/settings/index.js';
import { CommandError } from './command-error.js';

const CONFIG_FILE = 'stakeout.yaml';

/** The settings, or a `CommandError` with everything that is wrong with them. */
export function settingsOrFail(file: string | undefined, overrides: SettingsOverrides = {}): Settings {
  const loaded = loadSettings({ env: process.env, overrides, ...(file === undefined ? {} : { file }) });
  if ('settings' in loaded) return loaded.settings;
  const problems = loaded.errors.map((error) => `  ${formatSettingsError(error)}`);
  throw new CommandError(
    `The settings do not hold:\n${problems.join('\n')}\ndocs/settings.md describes every setting.`,
  );
}

/** The config file that belongs to a path: the nearest `stakeout.yaml` in its folder or above, up to the current folder. */
export function configFor(path: string): string | undefined {
  const start = resolve(path);
  let folder = existsSync(start) && statSync(start).isDirectory() ? start : dirname(start);
  for (;;) {
    const file = join(folder, CONFIG_FILE);
    if (existsSync(file)) return file;
    const parent = dirname(folder);
    if (folder === process.cwd() || parent === folder) return undefined;
    folder = parent;
  }
}
