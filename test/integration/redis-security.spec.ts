import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisConnection } from '../../src/connectors/redis/connection.js';
import { RedisSink } from '../../src/connectors/redis/redis-sink.js';
import { ManualClock } from '../../src/runtime/testing/manual-clock.js';
import { redisSource } from '../../src/service/lists/redis-source.js';
import { anAlert } from '../../src/service/testing/an-alert.js';
import { accepts, end, freePorts, launch, untilReady } from '../harness/servers/process.js';

/** A Redis that speaks TLS alone, asks for our certificate, and knows one user. */
describe('a Redis with TLS and an ACL', () => {
  let folder: string;
  let url: string;
  let pid: number;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stakeout-redis-tls-'));
    const at = (name: string) => join(folder, name);
    const files = ['-keyout', at('key.pem'), '-out', at('cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject], {
      stdio: 'ignore',
    });
    const [port = 0] = await freePorts(1);
    const args = [
      ...['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...['--tls-cert-file', at('cert.pem'), '--tls-key-file', at('key.pem'), '--tls-ca-cert-file', at('cert.pem')],
      ...['--tls-auth-clients', 'yes', '--user', 'default', 'off'],
      ...['--user', 'stakeout', 'on', '>secret', '~stakeout:*', '&stakeout:*', '+@all', '-@dangerous', '+info'],
    ];
    const launched = launch({ command: 'redis-server', args, dir: folder, owner: process.pid, temporary: folder });
    await untilReady('Redis', launched, () => accepts(port), 10_000);
    pid = launched.pid;
    url = `rediss://localhost:${port}`;
  });
  afterAll(async () => {
    await end(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const login = (over: object = {}, tls: object = {}) => ({
    ...{ username: 'stakeout', password: 'secret' },
    ...over,
    tls: {
      ...{ ca: join(folder, 'cert.pem'), certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') },
      ...{ verify: true, ...tls },
    },
  });
  async function written(given: ReturnType<typeof login>): Promise<string> {
    const sink = new RedisSink({ url, connection: redisConnection(given), clock: new ManualClock(0) });
    try {
      await sink.write([anAlert()]);
      return (await sink.readRisk('acc-1', 'accountId'))?.lastAlertId ?? 'nothing';
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await sink.close();
    }
  }

  it('is written to with its certificate, ours, and the user', async () => {
    expect(await written(login())).not.toMatch(/^REDIS_/);
  });

  it.each<[what: string, over: object, tls: object]>([
    ['the password is wrong', { password: 'wrong' }, {}],
    ['there is no such user', { username: 'default' }, {}],
    ['its certificate is not trusted', {}, { ca: undefined }],
    ['we have no certificate', {}, { certificate: undefined, key: undefined }],
  ])('refuses, or is refused, where %s', async (_, over, tls) => {
    expect(await written(login(over, tls))).toMatch(/^REDIS_(REFUSED|UNAVAILABLE)$/);
  });

  it('fills lists, too', async () => {
    const source = redisSource({ url, connection: redisConnection(login()) }, 'stakeout:none', 'set', 1000);
    const { table } = await source.read(new AbortController().signal);
    expect(table.size).toBe(0);
    await source.close?.();
  });
});
