/** OpenSearch, one node inside one Java process. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSearchJars } from './jars.js';
import { accepts, end, launch, untilReady } from './process.js';

/** What starts it takes a port of these, whatever it is told. */
const PORTS = { from: 9_201, to: 9_299 };

export interface OpenSearch {
  readonly url: string;
  readonly pids: readonly number[];
  readonly dir: string | null;
  /** Gone at once. */
  kill9(): Promise<void>;
  stop(): Promise<void>;
}

export interface OpenSearchStart {
  /** A server of one's own even where ELASTICSEARCH_URL names one: for tests that kill it. */
  readonly own?: boolean;
  readonly owner?: number;
}

export async function startOpenSearch(options: OpenSearchStart = {}): Promise<OpenSearch> {
  const theirs = process.env.ELASTICSEARCH_URL;
  if (theirs !== undefined && !options.own) {
    const refuse = () => Promise.reject(new Error('ELASTICSEARCH_URL names a server that is not ours to kill'));
    return { url: theirs, pids: [], dir: null, kill9: refuse, stop: () => Promise.resolve() };
  }
  const jars = await openSearchJars();
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-opensearch-'));
  const cluster = `test-${randomUUID().slice(0, 8)}`;
  const first = await freePort();
  const memory = ['-Xms320m', '-Xmx320m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const node = ['-basePath', path.join(dir, 'node'), '-numOfNode', '1', '-clusterName', cluster];
  const main = 'org.codelibs.opensearch.runner.OpenSearchRunner';
  const args = [...memory, '-cp', path.join(jars, '*'), main, ...node, '-baseHttpPort', String(first - 1)];
  const server = launch({ command: 'java', args, dir, owner: options.owner ?? process.pid, temporary: dir });
  let url = '';
  const stop = async () => {
    await end(server.pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const found = async () => {
    url = (await findCluster(cluster, first)) ?? '';
    return url !== '';
  };
  await untilReady('OpenSearch', server, found).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, pids: [server.pid], dir, kill9: () => end(server.pid, 'SIGKILL'), stop };
}

async function freePort(): Promise<number> {
  const count = PORTS.to - PORTS.from;
  const start = process.pid % count;
  for (let i = 0; i < count; i++) {
    const port = PORTS.from + ((start + i) % count);
    if (!(await accepts(port))) return port;
  }
  throw new Error(`all ports from ${PORTS.from} to ${PORTS.to} are taken`);
}

/** The first port at which it answers; another process may have been quicker at the one that was free. */
async function findCluster(name: string, from: number): Promise<string | null> {
  for (let port = from; port < Math.min(from + 5, PORTS.to); port++) {
    const url = `http://127.0.0.1:${port}`;
    const answer = await fetch(`${url}/_cluster/health`).catch(() => null);
    const health = (await answer?.json().catch(() => null)) as { cluster_name?: string; status?: string } | null;
    if (health?.cluster_name === name && health.status !== 'red') return url;
  }
  return null;
}
