/** Tools that look at manifests and charts, brought here once for all runs. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { locked, need } from './servers/process.js';

const run = promisify(execFile);
const HELM = '3.22.0';
/** To fetch and build Helm on a busy machine. */
export const TOOLS_MAX_MS = 1_200_000;

/** A tool by its command: what goes before its own arguments. */
export interface Tool {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function use({ command, args, env }: Tool, ...more: readonly string[]): Answer {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 } as const;
  const { status, stdout, stderr } = spawnSync(command, [...args, ...more], options);
  return { status, stdout, stderr };
}

const isThere = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** `null`: this machine has neither kubectl nor a way to it. */
export const kubectl = (): Tool | null => (isThere('kubectl') ? { command: 'kubectl', args: [] } : null);

/** Helm: that of the machine, else built with Go; `null`: there is no Go either. */
export async function helm(): Promise<Tool | null> {
  if (isThere('helm')) return { command: 'helm', args: [] };
  if (!isThere('go')) return null;
  const folder = await cached(`helm-${HELM}`, async (into) => {
    const env = { ...process.env, GOBIN: path.join(into, 'bin'), GOFLAGS: '-mod=mod' };
    await run('go', ['install', `helm.sh/helm/v3/cmd/helm@v${HELM}`], { env, maxBuffer: 64 * 1024 * 1024 });
  });
  return { command: path.join(folder, 'bin', 'helm'), args: [] };
}

/** A program of a Python package, in exactly this version. */
export async function pythonTool(name: string, version: string): Promise<Tool> {
  need('pip3', 'Install Python with pip (Debian: apt-get install python3-pip).');
  const folder = await cached(`${name}-${version}`, async (into) => {
    const options = ['install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore'];
    await run('pip3', [...options, '--target', into, `${name}==${version}`], { maxBuffer: 64 * 1024 * 1024 });
  });
  return { command: 'python3', args: [path.join(folder, 'bin', name)], env: { PYTHONPATH: folder } };
}

/** A folder filled by `fill`, made whole or not at all. */
async function cached(name: string, fill: (into: string) => Promise<void>): Promise<string> {
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'stakeout-test-servers');
  const target = path.join(cache, name);
  if (existsSync(target)) return target;
  return locked(`${target}.lock`, async () => {
    if (existsSync(target)) return target;
    mkdirSync(cache, { recursive: true });
    const work = mkdtempSync(path.join(cache, 'incomplete-'));
    try {
      await fill(work);
      renameSync(work, target);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    return target;
  });
}
