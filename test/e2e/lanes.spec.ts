/** Detection in threads beside the main one, on real Kafka: how partitions are shared, and what happens when a thread ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { LogProducer } from '../../src/runtime/ports/log.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built, root } from './kit/build.js';
import { DrainAlerts } from './kit/drain-alerts.js';
import { DrainStream } from './kit/drain-stream.js';
import { Drains, PATTERN, START } from './kit/drains.js';
import { ServiceProcess } from './kit/service.js';
import { INSPECT, Threads } from './kit/threads.js';

const PARTITIONS = 4;
const run = `lanes-${process.pid}-${Date.now()}`;
const [TRANSACTIONS, ALERTS] = [`${run}-transactions`, `${run}-alerts`] as const;
const schema = join(root, 'schemas/transaction.avsc');

let folder: string;
let log: KafkaLog;
let producer: LogProducer;
let drains: Drains;
let alerts: DrainAlerts;
let service: ServiceProcess;

const settings = (brokers: readonly string[]): string => `
name: ${run}
patterns: ${join(root, 'patterns')}
kafka: { brokers: ['${brokers.join("', '")}'], groupId: ${run} }
streams:
  transactions:
    topic: ${TRANSACTIONS}
    partitions: ${PARTITIONS}
    schema: ${schema}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    mode: arrival
alerts: { topic: ${ALERTS}, partitions: ${PARTITIONS} }
deadLetters: { topic: ${run}-dead-letters }
late: { topic: ${run}-late }
journal: { topic: ${run}-journal }
lanes: 2
snapshot: { interval: 500ms }
http: { port: 0 }
data: { directory: ./data }
log: { level: info, format: json }
`;

beforeAll(async () => {
  const [brokers] = await Promise.all([sharedKafka(), built()]);
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-lanes-'));
  const config = join(folder, 'stakeout.yaml');
  writeFileSync(config, settings(brokers));
  log = new KafkaLog({ brokers, clientId: run });
  producer = await log.producer();
  alerts = new DrainAlerts(log, ALERTS);
  drains = new Drains(TRANSACTIONS, new TransactionEncoder(readAvroSchema(schema)));
  service = ServiceProcess.start(config, [INSPECT]);
  await service.ready();
}, SERVER_START_MS);

afterAll(async () => {
  await service?.kill9();
  await producer?.close();
  await log?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

interface Partition {
  readonly partition: number;
  readonly phase: string;
  readonly lane: number;
}

const partitions = async () => (await service.status()).detector.partitions as readonly Partition[];

const numbersOf = (all: readonly Partition[]) => all.map(({ partition }) => partition).sort();

/** Waits until every partition is live in some lane, once, and each lane has half of them: one that joins late is given its share then. */
async function allLive(): Promise<void> {
  let found: readonly Partition[] = [];
  await until(
    async () => {
      found = await partitions();
      const ofLane0 = found.filter(({ lane }) => lane === 0);
      return found.length === PARTITIONS && found.every(({ phase }) => phase === 'live') && ofLane0.length === 2;
    },
    () => `all partitions to be live: ${JSON.stringify(found)}`,
  );
  expect(numbersOf(found)).toEqual([0, 1, 2, 3]);
}

/** Every account has its alert, and none has two. */
async function eachOnce(accounts: readonly string[]): Promise<void> {
  await alerts.of(accounts);
  const ids = alerts.written.map(({ alert }) => alert.id);
  expect(new Set(ids).size).toBe(ids.length);
}

describe('lanes in threads of their own', () => {
  it('share the partitions, and find what is in them once', async () => {
    await allLive();
    expect(service.log.map(({ msg }) => msg)).toContain('detection runs in 2 threads beside the main one');
    expect(service.log.filter(({ trouble }) => String(trouble).includes('is starting'))).toEqual([]);
    const accounts = Array.from({ length: 60 }, (_, number) => `first-${number}`);
    await producer.send(accounts.flatMap((account) => drains.whole(account)));
    await eachOnce(accounts);
    await until(async () => (await service.metric('stakeout_records_total')) === 180, 'all records to be counted');
    await until(async () => (await service.metric('stakeout_alerts_total')) >= 60, 'all alerts to be counted');
    expect(new Set(alerts.written.map(({ record }) => record.partition)).size).toBe(PARTITIONS);
  });

  it('tell what a transaction would do, each of the keys that it has', async () => {
    const accounts = Array.from({ length: 8 }, (_, number) => `decided-${number}`);
    await producer.send(accounts.flatMap((account) => [drains.record(account, 0), drains.record(account, 1)]));
    await until(async () => (await service.metric('stakeout_records_total')) === 196, 'all records to be counted');
    for (const accountId of accounts) {
      const last = { transactionId: `${accountId}-2`, accountId, eventTime: START + 2_000 };
      const answer = await fetch(`${service.url}/v1/decisions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...last, type: 'Transfer', amount: 9_000, country: 'OFFSHORE' }),
      });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ completes: [{ patternId: PATTERN, key: accountId }] });
    }
    await producer.send(accounts.map((account) => drains.record(account, 2)));
    await eachOnce(accounts);
  });

  it('go on when one of them dies in mid-stream: it is started again, and every alert is there once', async () => {
    const threads = await Threads.of(service);
    const stream = new DrainStream('died', drains, producer);
    try {
      await until(() => stream.accounts.length > 100, 'the stream to flow');
      await threads.end('lane 1');
      await until(async () => (await service.status()).detector.phase === 'degraded', 'the lane to be missed');
      const { detector } = await service.status();
      expect(detector.trouble).toBe('lane 1: ended: its thread ended with 3');
      expect((detector.partitions as readonly Partition[]).map(({ lane }) => lane)).toEqual([0, 0]);
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
      await until(() => service.isReady(), 'it to be ready again');
      await allLive();
    } finally {
      threads.close();
      await stream.stop();
    }
    await eachOnce(stream.accounts);
    expect(service.log.map(({ msg }) => msg)).toContain('lane 1 ended and is started again in 1000 ms');
  });

  it('stop in good order, with everything committed', async () => {
    const accounts = Array.from({ length: 40 }, (_, number) => `last-${number}`);
    await producer.send(accounts.flatMap((account) => drains.whole(account)));
    await eachOnce(accounts);
    expect(await service.stop()).toBe(0);
    expect(service.console).toContain('Stopped. Start again to go on from here.');
    const committed = await log.committed(run);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { end } = await log.offsets({ topic: TRANSACTIONS, partition });
      expect(committed.get(`${TRANSACTIONS}-${partition}`)).toBe(end);
    }
  });
});
