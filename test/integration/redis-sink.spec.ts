import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from 'redis';
import { RedisSink, type RedisSinkOptions } from '../../src/connectors/redis/redis-sink.js';
import { systemClock } from '../../src/connectors/system-clock.js';
import { MemoryLog } from '../../src/runtime/memory/memory-log.js';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { AlertSinkFollower } from '../../src/runtime/sinks/alert-sink-follower.js';
import { ManualClock } from '../../src/runtime/testing/manual-clock.js';
import { sharedRedis } from '../harness/servers/index.js';
import { accepts, end, freePorts, launch, untilReady } from '../harness/servers/process.js';
import { until } from '../harness/until.js';

const NOON = 1_700_000_000_000;
const DAY = 86_400_000;

function alert(id: string, over: Partial<Alert> = {}): Alert {
  return {
    id,
    patternId: 'offshore-drain',
    title: 'Large payment, then offshore',
    revision: 'r1',
    severity: 'high',
    score: 80,
    key: 'acc-1',
    keyField: 'accountId',
    firstEventTime: NOON - 1_000,
    lastEventTime: NOON,
    detectedAt: NOON,
    message: 'Grüße: 12,000 / offshore',
    steps: [],
    ...over,
  };
}

const connect = async (url: string) =>
  createClient({ url, RESP: 2 })
    .on('error', () => {})
    .connect();

describe('the Redis sink', () => {
  let url: string;
  let client: Awaited<ReturnType<typeof connect>>;
  let prefix: string;
  let sinks: RedisSink[];

  beforeAll(async () => {
    url = await sharedRedis();
    client = await connect(url);
  });
  afterAll(() => client.destroy());
  beforeEach(() => {
    prefix = `t-${randomUUID()}`;
    sinks = [];
  });
  afterEach(() => Promise.all(sinks.map((sink) => sink.close())));

  function sinkOf(over: Partial<RedisSinkOptions> = {}): RedisSink {
    const sink = new RedisSink({ url, clock: systemClock, prefix, ...over });
    sinks.push(sink);
    return sink;
  }
  const entries = async () => ((await client.xRange(`${prefix}:alerts`, '-', '+')) ?? []).map(({ message }) => message);

  it('writes the stream, the risk and the channel', async () => {
    const heard: string[] = [];
    const subscriber = await client.duplicate().connect();
    await subscriber.subscribe(`${prefix}:alerts`, (message) => heard.push(message));
    const sink = sinkOf();
    const written = alert('a1');
    await sink.write([written]);

    expect(await entries()).toMatchObject([
      { id: 'a1', key: 'acc-1', severity: 'high', score: '80', message: written.message },
    ]);
    expect(JSON.parse((await entries())[0]!.alert!)).toEqual(written);
    const { id, patternId, title, severity, score, detectedAt, message } = written;
    expect(await sink.readRisk('acc-1')).toEqual({
      score: 80,
      lastAlertAt: NOON,
      lastAlertId: 'a1',
      lastPattern: 'offshore-drain',
      lastSeverity: 'high',
      keyField: 'accountId',
      count: 1,
      alerts: [{ id, patternId, title, severity, score, detectedAt, message }],
    });
    await until(() => heard.length > 0, 'the published alert');
    expect(JSON.parse(heard[0]!)).toEqual(written);
    subscriber.destroy();
  });

  it('changes nothing when an alert comes again, whoever writes it', async () => {
    const heard: string[] = [];
    const subscriber = await client.duplicate().connect();
    await subscriber.subscribe(`${prefix}:alerts`, (message) => heard.push((JSON.parse(message) as Alert).id));
    const batch = ['a1', 'a2', 'a3'].map((id, i) => alert(id, { score: 10 * i, detectedAt: NOON + i }));
    const sink = sinkOf();
    await sink.write(batch);
    const before = [await entries(), await sink.readRisk('acc-1')];
    await sink.write(batch);
    await sinkOf().write([...batch, ...batch]);
    expect([await entries(), await sink.readRisk('acc-1')]).toEqual(before);
    await sink.write([alert('end')]);
    await until(() => heard.includes('end'), 'the last alert on the channel');
    expect(heard).toEqual(['a1', 'a2', 'a3', 'end']);
    subscriber.destroy();
  });

  it('keeps the last alerts, newest first, in whatever order they come', async () => {
    const sink = sinkOf({ alertsMax: 3 });
    const times = [3, 1, 5, 2, 4];
    await sink.write(times.map((t) => alert(`a${t}`, { detectedAt: NOON + t, patternId: `p${t}` })));
    expect(await sink.readRisk('acc-1')).toMatchObject({
      count: 5,
      lastAlertAt: NOON + 5,
      lastAlertId: 'a5',
      lastPattern: 'p5',
      alerts: [{ id: 'a5' }, { id: 'a4' }, { id: 'a3' }],
    });
  });

  it('scores the highest alert within the expiry, in event time', async () => {
    const sink = sinkOf({ expiryMs: DAY, alertsMax: 2 });
    const score = async () => (await sink.readRisk('acc-1'))?.score;
    await sink.write([alert('a', { score: 90 }), alert('b', { score: 20, detectedAt: NOON + 1 })]);
    // Many lesser alerts do not push the high one out.
    await sink.write(Array.from({ length: 30 }, (_, i) => alert(`c${i}`, { score: 30, detectedAt: NOON + 2 + i })));
    expect(await score()).toBe(90);
    await sink.write([alert('d', { score: 25.5, detectedAt: NOON + DAY + 10 })]);
    expect(await score()).toBe(30);
    await sink.write([alert('e', { score: 10, detectedAt: NOON + 2 * DAY })]);
    expect(await score()).toBe(25.5);
    // One from before the window does not count.
    await sink.write([alert('f', { score: 100, detectedAt: NOON })]);
    expect(await score()).toBe(25.5);
  });

  it('gives the same risk for the same alerts in any order', async () => {
    const alerts = Array.from({ length: 12 }, (_, i) =>
      alert(`a${i}`, { score: (i * 37) % 90, detectedAt: NOON + i * DAY }),
    );
    const risks: unknown[] = [];
    for (const order of [alerts, [...alerts].reverse(), [...alerts.slice(5), ...alerts.slice(0, 5)]]) {
      prefix = `t-${randomUUID()}`;
      const sink = sinkOf({ expiryMs: 4 * DAY });
      await sink.write(order);
      risks.push(await sink.readRisk('acc-1'));
    }
    expect(risks[1]).toEqual(risks[0]);
    expect(risks[2]).toEqual(risks[0]);
  });

  it('lets everything expire, and bounds what it remembers', async () => {
    const clock = new ManualClock();
    const sink = sinkOf({ clock, expiryMs: 60_000, seenForMs: 30_000, seenMax: 5, streamLength: 10 });
    await sink.write(Array.from({ length: 1_000 }, (_, i) => alert(`a${i}`, { key: `acc-${i % 3}` })));
    expect(await client.zCard(`${prefix}:seen`)).toBe(5);
    expect(await client.xLen(`${prefix}:alerts`)).toBeLessThan(300);
    const ttl = await client.pTTL(`${prefix}:risk:acc-1`);
    expect(ttl).toBeGreaterThan(50_000);
    expect(ttl).toBeLessThanOrEqual(60_000);
    expect(await client.pTTL(`${prefix}:seen`)).toBeGreaterThan(20_000);
    clock.advance(30_001);
    await sink.write([alert('later')]);
    expect(await client.zRange(`${prefix}:seen`, 0, -1)).toEqual(['later']);
  });

  it('keeps keys of other fields apart from accounts', async () => {
    const sink = sinkOf({ accountField: 'accountId' });
    await sink.write([alert('a', { key: '17' }), alert('b', { key: '17', keyField: 'terminalId', score: 5 })]);
    expect(await sink.readRisk('17')).toMatchObject({ lastAlertId: 'a', count: 1 });
    expect(await sink.readRisk('17', 'terminalId')).toMatchObject({
      lastAlertId: 'b',
      count: 1,
      keyField: 'terminalId',
    });
    expect(await sink.readRisk('18')).toBeNull();
  });

  it('writes nothing of an alert when Redis refuses a part of it', async () => {
    const sink = sinkOf();
    await client.set(`${prefix}:risk:acc-1`, 'not a hash');
    await expect(sink.write([alert('a')])).rejects.toMatchObject({ code: 'REDIS_REFUSED' });
    expect(await entries()).toEqual([]);
    await client.del(`${prefix}:risk:acc-1`);
    await sink.write([alert('a')]);
    expect(await entries()).toHaveLength(1);
  });

  it('says where Redis is not, without its password, and does not wait for it', async () => {
    const [port] = await freePorts(1);
    const sink = sinkOf({ url: `redis://user:secret@127.0.0.1:${port}` });
    const error = await sink.write([alert('a')]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect((error as Error).message).toBe(`Redis at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  it('gives up on a Redis that accepts and never answers', async () => {
    const silent: Server = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const sink = sinkOf({ url: `redis://127.0.0.1:${port}`, timeoutMs: 100 });
    await expect(sink.write([alert('a')])).rejects.toMatchObject({ code: 'REDIS_TIMEOUT' });
    await sink.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('writes nothing after it was closed', async () => {
    const sink = sinkOf();
    await sink.write([alert('a')]);
    await sink.close();
    await expect(sink.write([alert('b')])).rejects.toMatchObject({ code: 'REDIS_CLOSED' });
  });
});

describe('Redis killed in the middle of writing', () => {
  const COUNT = 3_000;

  it('loses nothing and doubles nothing', async () => {
    const [port = 0] = await freePorts(1);
    const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-redis-'));
    const url = `redis://127.0.0.1:${port}`;
    // Redis acknowledges only what is on disk, so that what it had is there again after `kill -9`.
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
    args.push('--appendonly', 'yes', '--appendfsync', 'always');
    const begin = async () => {
      const server = launch({ command: 'redis-server', args, dir, owner: process.pid, temporary: dir });
      await untilReady('Redis', server, () => accepts(port), 20_000);
      return server;
    };
    let server = await begin();
    const log = new MemoryLog();
    await log.createTopic({ name: 'alerts', partitions: 1 });
    const producer = await log.producer();
    for (let i = 0; i < COUNT; i++) {
      const value = Buffer.from(JSON.stringify(alert(`a${i}`, { key: `acc-${i % 10}`, detectedAt: NOON + i })));
      await producer.send([{ topic: 'alerts', partition: 0, key: null, value }]);
    }
    const sink = new RedisSink({ url, clock: systemClock, prefix: '{k}', streamLength: 10 * COUNT, timeoutMs: 1_000 });
    const troubles: (string | null)[] = [];
    const follower = new AlertSinkFollower({
      log,
      clock: systemClock,
      groupId: 'g-redis',
      topic: 'alerts',
      decoder: { decode: (value) => JSON.parse(Buffer.from(value).toString()) as Alert },
      sink,
      onTrouble: (trouble) => troubles.push(trouble),
    });
    const length = async () => {
      const client = await connect(url);
      return client.xLen('{k}:alerts').finally(() => client.destroy());
    };
    follower.start();
    try {
      let killed = 0;
      for (const share of [0.1, 0.4, 0.7]) {
        await until(async () => (await length().catch(() => 0)) >= share * COUNT, `${share} of the alerts`);
        await end(server.pid, 'SIGKILL');
        killed += 1;
        server = await begin();
      }
      await until(
        () => follower.status().written === COUNT,
        () => JSON.stringify(follower.status()),
      );
      const client = await connect(url);
      const ids = ((await client.xRange('{k}:alerts', '-', '+')) ?? []).map(({ message }) => message.id);
      expect(ids).toEqual(Array.from({ length: COUNT }, (_, i) => `a${i}`));
      for (let i = 0; i < 10; i++) {
        expect(await client.hGet(`{k}:risk:acc-${i}`, 'count')).toBe(String(COUNT / 10));
      }
      client.destroy();
      expect(killed).toBe(3);
      expect(troubles.some((trouble) => trouble?.startsWith(`Redis at 127.0.0.1:${port}: `))).toBe(true);
      expect(troubles.at(-1)).toBeNull();
    } finally {
      await follower.stop();
      await end(server.pid, 'SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
