/** Two instances of the service on real Kafka: whichever is asked, the one that owns the key answers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { freePorts } from '../harness/servers/process.js';
import { until } from '../harness/until.js';
import { built, root } from './kit/build.js';
import { Drains, PATTERN, START } from './kit/drains.js';
import { ServiceProcess } from './kit/service.js';

const PARTITIONS = 4;
const run = `decisions-${process.pid}-${Date.now()}`;
const schema = join(root, 'schemas/transaction.avsc');

let folder: string;
let log: KafkaLog;
let services: readonly ServiceProcess[] = [];

const settings = (brokers: readonly string[], port: number): string => `
name: ${run}
patterns: ${join(root, 'patterns')}
kafka: { brokers: ['${brokers.join("', '")}'], groupId: ${run} }
streams:
  transactions:
    topic: ${run}
    partitions: ${PARTITIONS}
    schema: ${schema}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    mode: arrival
alerts: { topic: ${run}-alerts, partitions: ${PARTITIONS} }
deadLetters: { topic: ${run}-dead-letters }
late: { topic: ${run}-late }
journal: { topic: ${run}-journal }
lanes: 1
http: { port: ${port}, advertise: 'http://127.0.0.1:${port}' }
data: { directory: ./data-${port} }
log: { level: info, format: json }
`;

beforeAll(async () => {
  const [brokers, ports] = await Promise.all([sharedKafka(), freePorts(2), built()]);
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-decisions-'));
  log = new KafkaLog({ brokers, clientId: run });
  services = ports.map((port) => {
    const config = join(folder, `stakeout-${port}.yaml`);
    writeFileSync(config, settings(brokers, port));
    return ServiceProcess.start(config);
  });
  for (const service of services) await service.ready();
}, SERVER_START_MS);

afterAll(async () => {
  for (const service of services) await service.kill9();
  await log?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

interface Decided {
  readonly completes: readonly { readonly patternId: string; readonly key: string }[];
  readonly asOf: { readonly partition: number };
}

async function decide(service: ServiceProcess, accountId: string): Promise<{ status: number; body: Decided }> {
  const last = { transactionId: `${accountId}-2`, accountId, eventTime: START + 2_000 };
  const answer = await fetch(`${service.url}/v1/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...last, type: 'Transfer', amount: 9_000, country: 'OFFSHORE' }),
  });
  return { status: answer.status, body: (await answer.json()) as Decided };
}

const ownedBy = async (service: ServiceProcess): Promise<readonly number[]> => {
  const { partitions } = (await service.status()).detector;
  return (partitions as readonly { phase: string; partition: number }[])
    .filter(({ phase }) => phase === 'live')
    .map(({ partition }) => partition);
};

it('is answered by the instance that owns the key, whichever was asked', async () => {
  const shares = async () => Promise.all(services.map(ownedBy));
  await until(async () => (await shares()).every(({ length }) => length === PARTITIONS / 2), 'each to own its share');
  const accounts = Array.from({ length: 24 }, (_, number) => `asked-${number}`);
  const drains = new Drains(run, new TransactionEncoder(readAvroSchema(schema)));
  const producer = await log.producer();
  await producer.send(accounts.flatMap((account) => [drains.record(account, 0), drains.record(account, 1)]));
  await producer.close();
  const read = async () =>
    (await Promise.all(services.map((service) => service.metric('stakeout_records_total')))).reduce((a, b) => a + b);
  await until(async () => (await read()) === 2 * accounts.length, 'all records to be read');
  const asked = new Set<number>();
  for (const account of accounts) {
    const [one, other] = await Promise.all(services.map((service) => decide(service, account)));
    expect([one!.status, other!.status]).toEqual([200, 200]);
    expect(one!.body.completes).toMatchObject([{ patternId: PATTERN, key: account }]);
    expect(other!.body).toEqual(one!.body);
    asked.add(one!.body.asOf.partition);
  }
  // Keys of both instances were among them.
  expect([...asked].sort()).toEqual([0, 1, 2, 3]);
});
