/** Apicurio Registry, in memory, with the API that Confluent's clients speak. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { registryJar } from './jars.js';
import { end, freePorts, launch, untilReady } from './process.js';

export interface Registry {
  /** Base of the Confluent API, without a slash at the end. */
  readonly url: string;
  readonly pids: readonly number[];
  readonly dir: string | null;
  stop(): Promise<void>;
}

export async function startRegistry(options: { readonly owner?: number } = {}): Promise<Registry> {
  const theirs = process.env.SCHEMA_REGISTRY_URL;
  if (theirs !== undefined) return { url: theirs, pids: [], dir: null, stop: () => Promise.resolve() };
  const jar = await registryJar();
  const [port = 0] = await freePorts(1);
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-registry-'));
  const settings = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`, '-Dquarkus.log.level=WARN'];
  const args = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...settings, '-jar', jar];
  const server = launch({ command: 'java', args, dir, owner: options.owner ?? process.pid, temporary: dir });
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const stop = async () => {
    await end(server.pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  };
  const answers = async () => (await fetch(`${url}/subjects`).catch(() => null))?.ok === true;
  await untilReady('the schema registry', server, answers).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, pids: [server.pid], dir, stop };
}
