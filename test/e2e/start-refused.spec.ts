/** A start that cannot be: what is wrong in words, with the setting to look at, and an end with status 1. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliProcess } from '../harness/cli-process.js';
import { freePorts } from '../harness/servers/process.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';

let folder: string;

beforeAll(built);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-refused-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function refusal(env: Readonly<Record<string, string>>): Promise<string> {
  const { status, stderr } = await CliProcess.run(['start'], { cwd: folder, env: { HTTP_PORT: '0', ...env } });
  expect(status).toBe(1);
  // Of faults of ours alone there is more to tell than words.
  expect(stderr).not.toMatch(/^ {4}at /m);
  return stderr;
}

describe('a start is refused', () => {
  it.each([
    ['a file of keys that is not there', { STAKEOUT_ACCESS_KEYS_FILE: 'k.yaml' }, 'k.yaml (access.keysFile) cannot'],
    [
      'a certificate that is not there',
      { STAKEOUT_HTTP_TLS_CERTIFICATE: 'c.pem', STAKEOUT_HTTP_TLS_KEY: 'k.pem' },
      'k.pem (http.tls) cannot be used',
    ],
    [
      'authorities of Kafka that are not there',
      { KAFKA_BROKERS: '127.0.0.1:1', STAKEOUT_KAFKA_TLS_ENABLED: 'true', STAKEOUT_KAFKA_TLS_CA: 'ca.pem' },
      'ca.pem (kafka.tls.ca) cannot be read',
    ],
    [
      'authorities of Redis that are not there',
      { REDIS_URL: 'rediss://127.0.0.1:1', STAKEOUT_REDIS_TLS_CA: 'ca.pem' },
      'ca.pem (redis.tls.ca) cannot be read',
    ],
    [
      'an address of another machine',
      { STAKEOUT_HTTP_HOST: '192.0.2.1' },
      'is no address of this machine: set http.host',
    ],
  ])('with %s', async (_, env, said) => expect(await refusal(env)).toContain(said));

  it('with a list that is not there', async () => {
    writeFileSync(join(folder, 'stakeout.yaml'), 'lists: {friends: {file: friends.txt}}\n');
    const said = await refusal({ STAKEOUT_CONFIG: 'stakeout.yaml' });
    expect(said).toContain('the list friends cannot be read. There is no such file; see lists.friends.file');
  });

  it('with a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const said = await refusal({ HTTP_PORT: String(port), STAKEOUT_HTTP_HOST: '127.0.0.1' });
    expect(said).toContain(`127.0.0.1:${port} is taken by another program: stop it, or set http.port (HTTP_PORT)`);
    other.close();
  });
});

it('a start waits for a Kafka that is away, says so, answers probes meanwhile, and ends on a signal', async () => {
  const [port = 0] = await freePorts(1);
  const env = { HTTP_PORT: String(port), KAFKA_BROKERS: '127.0.0.1:1' };
  const service = CliProcess.start(['start'], { cwd: folder, env });
  const said = () => service.stderr;
  await until(() => said().includes('waiting for Kafka at 127.0.0.1:1. If it is up, look at kafka.brokers'), said);
  const probe = async (name: string) => (await fetch(`http://127.0.0.1:${port}/health/${name}`)).status;
  expect([await probe('live'), await probe('ready')]).toEqual([200, 503]);
  const { status, stdout } = await service.end('SIGINT');
  expect([status, stdout]).toEqual([0, expect.stringContaining('Stopped.')]);
});
