/** The service runs from `dist`, as users run it: built here when a source is younger than what was built from it. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locked } from '../../harness/servers/process.js';

export const root = join(import.meta.dirname, '..', '..', '..');

/** Builds `dist` if it is missing or stale. Specs that run beside each other build it once. Throws what the compiler says. */
export async function built(): Promise<void> {
  await locked(join(tmpdir(), 'stakeout-e2e-build.lock'), async () => {
    if (isStale()) build();
  });
}

/** Elsewhere first, and then in place of what was there: services start meanwhile, and must not find half of it. */
function build(): void {
  // Beside `dist`, so that maps of sources lead to them from there as well.
  const [made, dist] = [join(root, '.dist'), join(root, 'dist')];
  rmSync(made, { recursive: true, force: true });
  const run = (program: string, ...args: string[]) =>
    execFileSync(process.execPath, [join(root, 'node_modules', program), ...args], {
      ...{ cwd: root, encoding: 'utf8', stdio: 'pipe' },
    });
  run('typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', made);
  const config = ['--config', 'src/console/vite.config.ts', '--outDir', join(made, 'console')];
  run('vite/bin/vite.js', 'build', ...config, '--emptyOutDir', '--logLevel', 'warn');
  if (existsSync(dist)) renameSync(dist, join(made, 'before'));
  renameSync(made, dist);
  rmSync(join(dist, 'before'), { recursive: true, force: true });
}

function isStale(): boolean {
  const isConsole = (name: string): boolean => name.startsWith('src/console/');
  const names = globSync('src/**/*.{ts,tsx,css,html}', { cwd: root }).filter((name) => !name.endsWith('.spec.ts'));
  return (
    isOlder(
      'dist/cli/main.js',
      names.filter((name) => !isConsole(name)),
    ) || isOlder('dist/console/index.html', names.filter(isConsole))
  );
}

function isOlder(made: string, sources: readonly string[]): boolean {
  const path = join(root, made);
  if (!existsSync(path)) return true;
  const madeAt = statSync(path).mtimeMs;
  return sources.some((name) => statSync(join(root, name)).mtimeMs > madeAt);
}
