/**
 * Reference lists that change under the real service, in a process of its own: over HTTP and by the command, from a file, from a compacted
 * topic and from Redis; killed in between; and what a replay says of it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { CliProcess } from '../harness/cli-process.js';
import { SERVER_START_MS, sharedKafka, sharedRedis } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-lists-'));
const config = join(folder, 'stakeout.yaml');
const rule = (id: string, where: string): void => {
  mkdirSync(join(folder, 'patterns', id), { recursive: true });
  const text = `id: ${id}\nkey: account\npattern:\n  - begin: payment\n    where: "${where}"\n`;
  writeFileSync(join(folder, 'patterns', id, 'pattern.yaml'), text);
};
const write = (log: string, lists: string): void =>
  writeFileSync(
    config,
    `patterns: ./patterns\nhttp: {port: 0}\ndata: {directory: ./data}\ndemo: {enabled: false}\nlog: {format: json}\n${log}
streams:
  payments: {topic: payments, partitions: 2, format: ndjson, key: account, time: at, id: id, mode: arrival}
lists:
  blocked: {kind: set}
  home: {file: home.csv, kind: map}
${lists}`,
  );

let service: ServiceProcess;
let sent = 0;

beforeAll(built);
beforeEach(() => {
  sent = 0;
  rule('blocked', "account in list('blocked')");
  rule('abroad', "country != list('home', account)");
  writeFileSync(join(folder, 'home.csv'), 'A1,DE\n');
});
afterEach(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Sends a payment, and says which rules found it once the service has committed it. */
async function pay(account: string, country = 'DE'): Promise<readonly string[]> {
  const id = `p${sent++}`;
  const before = await processed();
  const response = await fetch(`${service.url}/v1/streams/payments/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, account, country, at: Date.UTC(2026, 0, 1) + sent }),
  });
  expect(response.status).toBe(202);
  await until(async () => (await processed()) > before, 'the payment to be processed');
  return found(id);
}

const processed = async (): Promise<number> => (await service.status()).detector.recordsIn;

/** A rule that is not to find it finds nothing: so what another one finds is waited for, which comes in the same commit. */
async function found(id: string): Promise<readonly string[]> {
  interface Found {
    readonly patternId: string;
    readonly steps: readonly { readonly events: readonly { readonly id: string }[] }[];
  }
  let ids: readonly string[] = [];
  await until(async () => {
    const { items: alerts } = await service.get<{ readonly items: readonly Found[] }>('/v1/alerts?limit=1000');
    ids = alerts.filter((alert) => alert.steps[0]!.events[0]!.id === id).map(({ patternId }) => patternId);
    return ids.includes('all');
  }, `the alerts of ${id}`);
  return ids.filter((of) => of !== 'all').sort();
}

const lists = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await CliProcess.run(['lists', ...args, '--to', service.url], { cwd: folder });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
};

async function verified(): Promise<unknown> {
  await service.stop();
  const { stdout, stderr } = await CliProcess.run(['verify', '--config', config, '--json'], { cwd: folder });
  expect(stderr).not.toContain('cannot be used');
  return JSON.parse(stdout);
}

describe('lists on the embedded log', () => {
  it('change under the service, come through a kill, and are replayed as they were', async () => {
    rule('all', 'true');
    write('', '');
    service = await ServiceProcess.start(config).ready();
    expect(await pay('A1')).toEqual([]);
    expect(await lists('add', 'blocked', 'A1', 'A2')).toContain('blocked  set of 2');
    expect(await pay('A1')).toEqual(['blocked']);
    writeFileSync(join(folder, 'home.csv'), 'A1,FR\n');
    await until(async () => (await lists('get', 'home')) === 'A1,FR\n', 'the file to be read again');
    expect(await pay('A1')).toEqual(['abroad', 'blocked']);
    await service.kill9();
    service = await ServiceProcess.start(config).ready();
    expect(await pay('A1')).toEqual(['abroad', 'blocked']);
    await lists('remove', 'blocked', 'A1');
    expect(await pay('A1', 'FR')).toEqual([]);
    expect((await lists()).split('\n')[0]).toMatch(/^blocked +set of 1 .*asked by blocked$/);
    expect(await pay('A9')).toEqual([]);
    expect(await verified()).toMatchObject({ equal: true, repeats: 0 });
  });
});

describe('lists on Kafka and Redis', () => {
  it(
    'come from a compacted topic and from Redis, and from HTTP, to lanes in threads',
    async () => {
      const [brokers, url] = [await sharedKafka(), await sharedRedis()];
      const suffix = `${process.pid}-${Date.now()}`;
      const log = new KafkaLog({ brokers, clientId: 'e2e-lists' });
      const redis = await createClient({ url, RESP: 2 }).connect();
      await log.createTopic({ name: `partners-${suffix}`, partitions: 2, compacted: true });
      const producer = await log.producer();
      const tell = (key: string, value: string | null) =>
        producer.send([
          {
            ...{ topic: `partners-${suffix}`, partition: 0, key: Buffer.from(key) },
            value: value === null ? null : Buffer.from(value),
          },
        ]);
      await tell('A1', 'gold');
      await redis.sAdd(`mules-${suffix}`, 'A7');
      rule('all', 'true');
      rule('partner', "list('partners', account) == 'gold'");
      rule('mule', "account in list('mules')");
      const own = `stakeout-${suffix}`;
      write(
        `kafka: {brokers: ['${brokers.join("', '")}'], groupId: ${own}}\nrules: {topic: ${own}-rules}\njournal: {topic: ${own}-journal}\nlistStore: {topic: ${own}-lists}\nalerts: {topic: ${own}-alerts, shadowTopic: ${own}-shadow}\nlanes: 2\n`,
        `  partners: {topic: partners-${suffix}, kind: map, refresh: 200ms}\n  mules: {redis: {key: mules-${suffix}, url: '${url}'}, refresh: 200ms}\n`,
      );
      const text = `topic: payments-${suffix}`;
      writeFileSync(config, readFileSync(config, 'utf8').replace('topic: payments', text));
      try {
        service = await ServiceProcess.start(config).ready();
        expect([await pay('A1'), await pay('A7')]).toEqual([['partner'], ['mule']]);
        await tell('A1', null);
        await tell('A7', 'gold');
        await redis.sRem(`mules-${suffix}`, 'A7');
        await until(async () => (await lists('get', 'partners')) === 'A7,gold\n', 'the topic to be followed');
        await until(async () => (await lists('get', 'mules')) === '\n', 'Redis to be followed');
        await lists('add', 'blocked', 'A1');
        expect([await pay('A1'), await pay('A7')]).toEqual([['blocked'], ['partner']]);
        await service.kill9();
        service = await ServiceProcess.start(config).ready();
        await lists('remove', 'blocked', 'A1');
        expect([await pay('A1'), await pay('A7')]).toEqual([[], ['partner']]);
        expect(await verified()).toMatchObject({ equal: true, repeats: 0 });
      } finally {
        redis.destroy();
        await producer.close();
        await log.close();
      }
    },
    SERVER_START_MS,
  );
});
