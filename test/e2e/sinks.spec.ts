/** The real service with sinks that its settings name, on the embedded log: the same alerts come to all of them, and one is paused. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/connectors/sql/open-database.js';
import type { SqlDatabase } from '../../src/connectors/sql/sql-database.js';
import { CliProcess } from '../harness/cli-process.js';
import { SERVER_START_MS, sharedPostgres } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';

interface SinkNow {
  readonly name: string;
  readonly state: string;
  readonly written: number;
  readonly lag: number;
}

let folder: string;
let receiver: Server;
let database: SqlDatabase;
let service: CliProcess | null = null;
const posted = new Set<string>();
const table = `alerts_${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  await built();
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-sinks-'));
  receiver = createServer((request, response) => {
    posted.add(String(request.headers['idempotency-key']));
    request.resume().on('end', () => response.writeHead(204).end());
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  database = await openDatabase({ url: await sharedPostgres() });
}, SERVER_START_MS);
afterAll(async () => {
  await service?.end('SIGKILL');
  await database.close();
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

it('all sinks get all alerts; one that is paused gets its own when it is resumed', async () => {
  const config = join(folder, 'stakeout.yaml');
  writeFileSync(
    config,
    `demo: {rate: 200}
http: {port: 0}
sinks:
  warehouse: {type: postgres, table: ${table}}
  desk: {type: webhook, url: 'http://127.0.0.1:${(receiver.address() as AddressInfo).port}/'}
  lake: {type: parquet, directory: ./table, every: 1s}
`,
  );
  const env = { STAKEOUT_SINKS_WAREHOUSE_URL: await sharedPostgres() };
  service = CliProcess.start(['start', '--config', config], { cwd: folder, env });
  const url = await service.untilSaid(/POST (http:\S+)\/v1\/transactions/);
  const sinks = async () => ((await (await fetch(`${url}/v1/status`)).json()) as { sinks: readonly SinkNow[] }).sinks;
  const sink = async (name: string) => (await sinks()).find((each) => each.name === name)!;
  const rows = async () => {
    const { rows: found } = await database.query(`SELECT id FROM ${table}`).catch(() => ({ rows: [] }));
    return found.map(({ id }) => String(id)).sort();
  };

  await until(async () => (await rows()).length > 5, 'rows in the warehouse');
  const change = (what: string) =>
    fetch(`${url}/v1/sinks/desk/${what}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"author":"ann"}' },
    });
  expect((await change('pause')).status).toBeLessThan(300);
  await until(async () => (await sink('desk')).state === 'paused', 'the desk to be paused');
  const before = posted.size;
  const so = (await rows()).length;
  await until(async () => (await rows()).length > so + 5, 'more rows in the warehouse');
  expect(posted.size).toBe(before);
  await change('resume');
  await until(() => posted.size > so, 'what waited for the desk');

  await service.end('SIGINT');
  service = CliProcess.start(['start', '--config', config], {
    cwd: folder,
    env: { ...env, STAKEOUT_DEMO_ENABLED: 'false' },
  });
  const again = await service.untilSaid(/POST (http:\S+)\/v1\/transactions/);
  const lag = async () => {
    const status = (await (await fetch(`${again}/v1/status`)).json()) as { sinks: readonly SinkNow[] };
    return status.sinks.reduce((sum, each) => sum + each.lag + (each.state === 'running' ? 0 : 1), 0);
  };
  await until(async () => (await lag()) === 0 && (await rows()).length === posted.size, 'all sinks to be level');
  expect(await rows()).toEqual([...posted].sort());
  expect(readdirSync(join(folder, 'table')).filter((name) => name.startsWith('dt='))).not.toEqual([]);
});
