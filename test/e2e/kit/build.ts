/** The service runs from `dist`, as users run it: built here when a source is younger than what was built from it. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locked } from '../../harness/servers/process.js';

export const root = join(import.meta.dirname, '..', '..', '..');

/** Builds `dist` if it is missing or stale. Specs that run beside each other build it once. Throws what the compiler says. */
export async function built(): Promise<void> {
  await locked(join(tmpdir(), 'stakeout-e2e-build.lock'), async () => {
    if (!isStale()) return;
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
      cwd: root,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  });
}

function isStale(): boolean {
  const main = join(root, 'dist/cli/main.js');
  if (!existsSync(main)) return true;
  const builtAt = statSync(main).mtimeMs;
  const sources = globSync('src/**/*.ts', { cwd: root }).filter((name) => !name.endsWith('.spec.ts'));
  return sources.some((name) => statSync(join(root, name)).mtimeMs > builtAt);
}
