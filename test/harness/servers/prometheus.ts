/** Prometheus and its promtool, from the machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { end, freePorts, launch, need, untilReady } from './process.js';

const HOW = 'Install it (Debian: apt-get install prometheus).';

/** Runs promtool. `input` goes to its standard input. */
export function promtool(
  args: readonly string[],
  input?: string,
): { readonly status: number | null; readonly said: string } {
  need('promtool', HOW);
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', ...(input && { input }) });
  return { status, said: `${stdout}${stderr}` };
}

export interface Prometheus {
  readonly url: string;
  stop(): Promise<void>;
}

/** `config`: path of its configuration. */
export async function startPrometheus(config: string): Promise<Prometheus> {
  need('prometheus', HOW);
  const [port = 0] = await freePorts(1);
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-prometheus-'));
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${path.join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const server = launch({ command: 'prometheus', args, dir, owner: process.pid, temporary: dir });
  const isReady = async () => (await fetch(`${url}/-/ready`).catch(() => null))?.status === 200;
  const stop = async () => {
    await end(server.pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  };
  await untilReady('Prometheus', server, isReady, 30_000).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, stop };
}
