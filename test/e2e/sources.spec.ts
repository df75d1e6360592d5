/**
 * Streams and sinks that are registered while the real service runs, in a process of its own: over HTTP, by its settings file, over a kill; and what
 * a replay says of it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliProcess } from '../harness/cli-process.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-sources-'));
const config = join(folder, 'stakeout.yaml');
const LOGINS = {
  topic: 'logins',
  partitions: 2,
  format: 'ndjson',
  key: 'account',
  time: 'at',
  id: 'id',
  mode: 'arrival',
};
const written = (more = ''): void =>
  writeFileSync(
    config,
    `patterns: ./patterns\nhttp: {port: 0}\ndata: {directory: ./data}\ndemo: {enabled: false}\nlog: {format: json}\nsources: {watch: true}
streams:
  payments: {topic: payments, partitions: 2, format: ndjson, key: account, time: at, id: id, mode: arrival}
${more}`,
  );
const rule = (id: string, stream: string): string =>
  `id: ${id}\nkey: account\nfrom: ${stream}\npattern:\n  - begin: one\n    where: "amount > 10.0"\n`;

let service: ServiceProcess;
let webhook: Server;
const received: string[] = [];
let sent = 0;

beforeAll(built);
beforeAll(async () => {
  webhook = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      received.push(body);
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => webhook.once('listening', resolve));
  mkdirSync(join(folder, 'patterns', 'large'), { recursive: true });
  writeFileSync(join(folder, 'patterns', 'large', 'pattern.yaml'), rule('large', 'payments'));
  written();
});
afterAll(async () => {
  await service?.stop();
  webhook.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: object) {
  const sends = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(service.url + path, { method, ...sends });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

/** Sends an event, and waits until it is processed. */
async function send(stream: string, amount: number): Promise<void> {
  const before = (await service.status()).detector.recordsIn;
  const event = { id: `e${sent++}`, account: `A${sent % 5}`, amount, at: Date.UTC(2026, 0, 1) + sent };
  expect(await ask('POST', `/v1/streams/${stream}/events`, event)).toMatchObject({ status: 202 });
  await until(async () => (await service.status()).detector.recordsIn > before, 'it to be processed');
}

const alerts = async (): Promise<number> =>
  (await service.get<{ items: unknown[] }>('/v1/alerts?limit=100')).items.length;
const apply = async (...ids: readonly [string, string][]) =>
  ask('POST', '/v1/rules/apply', {
    files: ids.map(([id, stream]) => ({ file: `${id}/pattern.yaml`, text: rule(id, stream) })),
    author: 'ann',
  });

it('streams and sinks come, change and go while it runs, over a kill too, and a replay finds the same', async () => {
  service = await ServiceProcess.start(config).ready();
  await send('payments', 11);
  await until(async () => (await alerts()) === 1, 'the first alert');

  const put = await ask('PUT', '/v1/streams/logins', { definition: LOGINS, author: 'ann', message: 'logins too' });
  expect(put).toMatchObject({ status: 200, body: { origin: 'registered', usedBy: [], changed: { author: 'ann' } } });
  expect(await apply(['large', 'payments'], ['login', 'logins'])).toMatchObject({ status: 200 });
  await until(async () => (await service.status()).detector.phase === 'running', 'it to go on');
  await send('logins', 12);
  await send('payments', 13);
  await until(async () => (await alerts()) === 3, 'alerts of both streams');

  expect(await ask('DELETE', '/v1/streams/logins?author=ann')).toMatchObject({
    status: 409,
    body: { code: 'SOURCE_IN_USE', errors: expect.arrayContaining([expect.objectContaining({ path: 'login' })]) },
  });
  expect(await ask('PUT', '/v1/streams/logins', { definition: { ...LOGINS, mode: 'x' }, author: 'ann' })).toMatchObject(
    {
      status: 422,
      body: { errors: [expect.objectContaining({ path: 'mode' })] },
    },
  );

  const rows = { file: 'logins.ndjson', key: 'account', time: 'at' };
  expect(await ask('PUT', '/v1/streams/rows', { definition: rows, author: 'ann' })).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'definition.file', message: expect.stringContaining('send the records to a topic') }] },
  });

  const { port } = webhook.address() as AddressInfo;
  const definition = { type: 'webhook', url: `http://127.0.0.1:${port}/alerts` };
  expect(await ask('PUT', '/v1/sinks/hook', { definition, author: 'ann' })).toMatchObject({
    status: 200,
    body: { definition: { type: 'webhook', url: '(secret, not shown)' } },
  });
  await until(() => received.length >= 3, 'all alerts at the webhook');

  await service.kill9();
  service = await ServiceProcess.start(config).ready();
  expect((await service.get<{ items: { name: string }[] }>('/v1/streams')).items.map(({ name }) => name)).toEqual([
    ...['payments', 'logins'],
  ]);
  await send('logins', 14);
  await until(() => received.some((body) => body.includes(`e${sent - 1}`)), 'the webhook to go on');

  written(`  chargebacks: {topic: chargebacks, partitions: 1, format: ndjson, key: account, time: at, id: id}\n`);
  await until(async () => (await ask('GET', '/v1/streams/chargebacks')).status === 200, 'the stream of the file');
  written();
  await until(async () => (await ask('GET', '/v1/streams/chargebacks')).status === 404, 'the stream of the file to go');

  expect(await ask('DELETE', '/v1/sinks/hook?author=ann')).toMatchObject({ status: 204 });
  expect(await apply(['large', 'payments'])).toMatchObject({ status: 200 });
  expect(await ask('DELETE', '/v1/streams/logins?author=ann&message=done')).toMatchObject({ status: 204 });
  await send('payments', 15);
  await until(async () => (await alerts()) === 5, 'the last alert');
  expect((await ask('GET', '/v1/sources/audit')).body).toMatchObject({ intact: true, entries: 6 });
  expect(await service.stop()).toBe(0);
  const verified = await CliProcess.run(['verify', '--config', config, '--topic', 'payments', '--json'], {
    cwd: folder,
  });
  expect([verified.status, JSON.parse(verified.stdout)]).toMatchObject([0, { equal: true }]);
});
