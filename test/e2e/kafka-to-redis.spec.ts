/**
 * The service as it is run: its own process, Avro on real Kafka with a real registry, alerts on their topic, in Redis and over
 * HTTP; and what happens when input is bad, or the service, Redis or Kafka dies. The parts run in order on one installation.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { readDeadLetter } from '../../src/connectors/avro/dead-letter.js';
import { type AvroSchema, isAvroObject, readAvroSchema } from '../../src/connectors/avro/schema.js';
import { SchemaRegistry } from '../../src/connectors/avro/schema-registry.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { RedisSink } from '../../src/connectors/redis/redis-sink.js';
import { systemClock } from '../../src/connectors/system-clock.js';
import { partitionOfKey } from '../../src/runtime/partitioner.js';
import type { Alert } from '../../src/runtime/ports/alert.js';
import type { LogProducer, OutgoingRecord } from '../../src/runtime/ports/log.js';
import {
  type KafkaCluster,
  type Redis,
  SERVER_START_MS,
  sharedRegistry,
  startKafka,
  startRedis,
} from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built, root } from './kit/build.js';
import { DrainAlerts } from './kit/drain-alerts.js';
import { DrainStream } from './kit/drain-stream.js';
import { Drains, PATTERN } from './kit/drains.js';
import { ServiceProcess } from './kit/service.js';
import { TopicReader } from './kit/topic-reader.js';

const PARTITIONS = 4;
const PREFIX = 'e2e';
const [TRANSACTIONS, ALERTS, DEAD_LETTERS] = ['e2e-transactions', 'e2e-alerts', 'e2e-dead-letters'] as const;
const UNKNOWN_ID = 0x7fff_fff0;
/** Of `type` in the record `bad-0` of the account `bad`: behind header, two strings and a long. */
const ENUM_AT = 5 + 6 + 4 + 6;
const folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-'));
const config = join(folder, 'stakeout.yaml');

let kafka: KafkaCluster;
let redis: Redis;
let registry: SchemaRegistry;
let log: KafkaLog;
let producer: LogProducer;
let drains: Drains;
let alerts: DrainAlerts;
let service: ServiceProcess;

beforeAll(async () => {
  const servers = [startKafka({ own: true }), startRedis({ own: true }), sharedRegistry(), built()] as const;
  const [startedKafka, startedRedis, registryUrl] = await Promise.all(servers);
  [kafka, redis] = [startedKafka, startedRedis];
  registry = new SchemaRegistry({ url: registryUrl });
  log = new KafkaLog({ brokers: kafka.brokers, clientId: 'e2e' });
  producer = await log.producer();
  alerts = new DrainAlerts(log, ALERTS);
  drains = new Drains(TRANSACTIONS, await encoderOf(transactionSchema()));
  writeFileSync(config, settings(registryUrl));
  service = await ServiceProcess.start(config).ready();
}, SERVER_START_MS);

afterAll(async () => {
  await service?.stop();
  await log?.close();
  await Promise.all([kafka?.stop(), redis?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const transactionSchema = (): AvroSchema => readAvroSchema(join(root, 'schemas/transaction.avsc'));

const encoderOf = async (schema: AvroSchema): Promise<TransactionEncoder> =>
  new TransactionEncoder(schema, { registryId: await registry.register(`${TRANSACTIONS}-value`, schema) });

const settings = (registryUrl: string): string => `
name: e2e
patterns: ${join(root, 'patterns')}
kafka: { brokers: ['${kafka.brokers.join("', '")}'], groupId: e2e }
registry: { url: '${registryUrl}' }
streams:
  transactions:
    topic: ${TRANSACTIONS}
    partitions: ${PARTITIONS}
    schema: ${join(root, 'schemas/transaction.avsc')}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    mode: arrival
alerts: { topic: ${ALERTS}, partitions: ${PARTITIONS} }
deadLetters: { topic: ${DEAD_LETTERS} }
redis: { url: '${redis.url}', prefix: ${PREFIX} }
snapshot: { interval: 500ms }
http: { port: 0 }
data: { directory: ./data }
log: { level: info, format: json }
`;

const connectRedis = () => createClient({ url: redis.url, RESP: 2 }).connect();

/** Ids of the alerts in Redis' stream, as often as they are there. */
async function idsInRedis(): Promise<readonly string[]> {
  const client = await connectRedis();
  try {
    const entries = await client.xRange(`${PREFIX}:alerts`, '-', '+');
    return (entries ?? []).map(({ message }) => String(message.id));
  } finally {
    client.destroy();
  }
}

/** Waits until Redis has these alerts, each once. */
async function inRedis(expected: readonly Alert[]): Promise<void> {
  await until(async () => {
    const ids = new Set(await idsInRedis());
    return expected.every(({ id }) => ids.has(id));
  }, 'the alerts in Redis');
  const ids = await idsInRedis();
  expect(new Set(ids).size).toBe(ids.length);
}

/** Waits until HTTP shows an alert of the account. */
const overHttp = async (account: string): Promise<Alert> => {
  const path = `/v1/alerts?key=${account}&pattern=${PATTERN}`;
  const read = async () => (await service.get<{ readonly items: readonly Alert[] }>(path)).items[0];
  return (await until(read, `an alert of ${account} over HTTP`))!;
};

describe('the service on Kafka, a schema registry and Redis', () => {
  it('finds fraud in Avro of the wire format: an alert on the topic, keyed like its source, in Redis, over HTTP', async () => {
    const account = 'first';
    const subscriber = await connectRedis();
    const published: Alert[] = [];
    await subscriber.subscribe(`${PREFIX}:alerts`, (text) => void published.push(JSON.parse(text) as Alert));
    await producer.send(drains.whole(account));

    const [alert] = await alerts.of([account]);
    expect(alert).toMatchObject({
      patternId: PATTERN,
      key: account,
      keyField: 'accountId',
      severity: 'high',
      score: 80,
    });
    expect(alert!.steps.map(({ step, events }) => [step, ...events.map(({ id }) => id)])).toEqual([
      ['large', 'first-0'],
      ['cash', 'first-1'],
      ['offshore', 'first-2'],
    ]);
    const written = alerts.written.map(({ record }) => record);
    expect(written.map(({ key, partition }) => [Buffer.from(key!).toString(), partition])).toEqual([
      [account, partitionOfKey(Buffer.from(account), PARTITIONS)],
    ]);
    const registered = await registry.latest(`${ALERTS}-value`);
    expect(Buffer.from(written[0]!.value!).subarray(0, 5)).toEqual(Buffer.from([0, ...uint32(registered.id)]));

    await inRedis([alert!]);
    const sink = new RedisSink({ url: redis.url, prefix: PREFIX, accountField: 'accountId', clock: systemClock });
    const risk = await sink.readRisk(account);
    await sink.close();
    expect(risk!.score).toBeGreaterThanOrEqual(80);
    expect(risk!.alerts.map(({ id }) => id)).toContain(alert!.id);
    await until(() => published.some(({ id }) => id === alert!.id), 'the message on the channel');
    expect(published.find(({ id }) => id === alert!.id)).toEqual(alert);
    subscriber.destroy();
    expect(await overHttp(account)).toEqual({ ...alert, state: 'open' });
  });

  it('reads what a newer writer wrote, with a field more', async () => {
    const schema = transactionSchema();
    if (!isAvroObject(schema)) throw new Error('the schema is a record');
    const [first, ...rest] = schema.fields!;
    const added = { name: 'branchOffice', type: 'string', default: '' };
    const newer = new Drains(TRANSACTIONS, await encoderOf({ ...schema, fields: [first!, added, ...rest] }));
    const office = { branchOffice: 'north' };
    await producer.send([
      drains.record('newer', 0),
      newer.record('newer', 1, office),
      newer.record('newer', 2, office),
    ]);
    const [alert] = await alerts.of(['newer']);
    expect(alert!.steps[2]!.events[0]!.fields).toMatchObject({ amount: 9000, country: 'OFFSHORE' });
  });

  it('sends what it cannot read to the dead letters as it was, and goes on', async () => {
    const framed = drains.bytes('bad', 0);
    const noise = Buffer.from('f3a9c1770be25d', 'hex');
    const bad: readonly (readonly [string, Buffer | null])[] = [
      ['not-confluent-framed', noise],
      ['malformed', withByte(framed, ENUM_AT, 0x7e)],
      ['unknown-schema-id', Buffer.from([0, ...uint32(UNKNOWN_ID), ...framed.subarray(5)])],
      ['truncated', framed.subarray(0, 20)],
      ['trailing-bytes', Buffer.concat([framed, noise])],
      ['missing-key', drains.bytes('', 0)],
      ['empty-value', null],
    ];
    const partition = partitionOfKey(Buffer.from('good'), PARTITIONS);
    const begin = (await log.offsets({ topic: TRANSACTIONS, partition })).end;
    const key = Buffer.from('some-key');
    const [large, cash, offshore] = drains.whole('good').map((record) => ({ ...record, partition }));
    const wrong = bad.map(([, value]): OutgoingRecord => ({ topic: TRANSACTIONS, partition, key, value }));
    await producer.send([large!, ...wrong.slice(0, 3), cash!, ...wrong.slice(3), offshore!]);

    await alerts.of(['good']);
    const reader = new TopicReader(log, DEAD_LETTERS);
    await until(async () => (await reader.read()).length === bad.length, 'the dead letters');
    const letters = reader.records.map((record) => readDeadLetter(record)!);
    expect(letters).toEqual(
      bad.map(([reason, value], i) => ({
        reason,
        detail: expect.stringMatching(/./),
        topic: TRANSACTIONS,
        partition,
        offset: begin + 1 + i + (i >= 3 ? 1 : 0),
        timestamp: expect.any(Number),
        key,
        value,
      })),
    );
    const counted = async () => (await service.metric('stakeout_dead_letters_total')) === bad.length;
    await until(counted, 'the dead letters to be counted');
    const told = () => service.log.filter(({ msg }) => msg === 'a record cannot be read and went to the dead letters');
    await until(() => told().length >= bad.length, 'the log to tell of them');
    expect(told().map(({ level, reason, offset }) => [level, reason, offset])).toEqual(
      letters.map(({ reason, offset }) => ['warn', reason, offset]),
    );
    expect(await service.isReady()).toBe(true);
  });

  it('has every alert when it was killed in mid-stream and started again', async () => {
    const before = (await service.status()).detector.recordsIn;
    const stream = new DrainStream('killed', drains, producer);
    await until(async () => (await service.status()).detector.recordsIn > before + 300, 'it to be amid the stream');
    await service.kill9();
    const names = await stream.stop();
    service = await ServiceProcess.start(config).ready();
    const found = await alerts.of(names);
    expect(new Set(found.map(({ id }) => id)).size).toBe(names.length);
    await inRedis(found);
  });

  const redisSink = async () => (await service.status()).sinks.find(({ name }) => name === 'redis')!;

  it('goes on detecting while Redis is away, and brings Redis what it missed', async () => {
    const stream = new DrainStream('redis', drains, producer);
    await until(() => stream.accounts.length > 20, 'the stream to flow');
    const failures = await service.metric('stakeout_sink_failures_total');
    await redis.kill9();
    const atDeath = stream.accounts.length;
    await until(
      async () => (await service.metric('stakeout_sink_failures_total')) > failures + 3 * PARTITIONS,
      'the sink to try and fail, again and again',
    );
    const names = await stream.stop();
    expect(names.length).toBeGreaterThan(atDeath + 20);
    const found = await alerts.of(names);
    expect((await redisSink()).trouble).toMatch(/Redis/);
    await until(async () => (await redisSink()).lag > 0, 'the sink to lag');
    expect(await service.isReady()).toBe(true);
    await redis.start();
    // Redis came back empty: what it had before it died is its own to keep, what followed is ours to bring.
    await inRedis(found.slice(atDeath));
    await until(async () => (await redisSink()).trouble === null, 'the trouble to be over');
    await until(async () => (await redisSink()).lag === 0, 'nothing left to write');
  });

  it('says when Kafka is away, and goes on where it was when Kafka is back', async () => {
    const stream = new DrainStream('kafka', drains, producer);
    await until(() => stream.accounts.length > 50, 'the stream to flow');
    await kafka.kill9(1);
    await until(async () => !(await service.isReady()), 'it not to be ready');
    await until(async () => (await service.status()).detector.phase === 'degraded', 'detection to be degraded');
    expect((await service.status()).detector.trouble).toMatch(/./);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    await kafka.startNode(1);
    const names = await stream.stop();
    const found = await alerts.of(names);
    await until(() => service.isReady(), 'it to be ready again');
    await until(async () => (await service.status()).detector.trouble === null, 'the trouble to be over');
    await inRedis(found);
    expect(await overHttp(names.at(-1)!)).toEqual({ ...found.at(-1), state: 'open' });
  });

  it('stops in good order', async () => {
    expect(await service.stop()).toBe(0);
    expect(service.console).toContain('Stopped. Start again to go on from here.');
  });
});

function withByte(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}

const uint32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
