/** Rules on real Kafka: published without a service, filled from the log, explained, replayed, and audited. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { CliProcess } from '../harness/cli-process.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built, root } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const run = `rules-${process.pid}-${Date.now()}`;
const schema = join(root, 'schemas/transaction.avsc');
const encoder = new TransactionEncoder(readAvroSchema(schema));
const text = new TextEncoder();

let folder: string;
let config: string;
let log: KafkaLog;
let service: ServiceProcess | null = null;

const settings = (brokers: readonly string[]): string => `
name: ${run}
patterns: ./folder
kafka: { brokers: ['${brokers.join("', '")}'], groupId: ${run} }
streams:
  transactions:
    { topic: ${run}, partitions: 2, schema: ${schema}, key: accountId, time: eventTime, id: transactionId, type: type, outOfOrderness: 0s }
alerts: { topic: ${run}-alerts, shadowTopic: ${run}-shadow, partitions: 1 }
deadLetters: { topic: ${run}-dead-letters }
late: { topic: ${run}-late }
journal: { topic: ${run}-journal }
rules: { topic: ${run}-rules }
http: { port: 0 }
data: { directory: ./data }
log: { level: info, format: json }
`;

/** Two payments above an amount, within an hour. */
const rule = (id: string, amount: number, more = ''): string =>
  `id: ${id}\nkey: accountId\nwithin: 1h\npattern:\n  - begin: one\n    where: amount > ${amount}.0\n  - followedBy: two\n    where: amount > ${amount}.0\n${more}`;

function write(name: string, rules: Readonly<Record<string, string>>): string {
  for (const [id, body] of Object.entries(rules)) {
    mkdirSync(join(folder, name, id), { recursive: true });
    writeFileSync(join(folder, name, id, 'pattern.yaml'), body);
  }
  return join(folder, name);
}

const command = async (...args: readonly string[]) => {
  const { status, stdout, stderr } = await CliProcess.run([...args, '--config', config, '--json']);
  if (stdout === '') throw new Error(stderr);
  return { status, ...(JSON.parse(stdout) as Record<string, unknown>) };
};

interface Status {
  readonly detector: {
    readonly recordsIn: number;
    readonly matches: Readonly<Record<string, number>>;
    readonly partitions: readonly { readonly rules: string }[];
  };
  readonly rules: object;
}

const status = async () => (await service!.status()) as unknown as Status;

beforeAll(async () => {
  const [brokers] = await Promise.all([sharedKafka(), built()]);
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-rules-'));
  config = join(folder, 'stakeout.yaml');
  writeFileSync(config, settings(brokers));
  write('folder', { other: rule('other', 5_000_000) });
  log = new KafkaLog({ brokers, clientId: run });
}, SERVER_START_MS);

afterAll(async () => {
  await service?.kill9();
  await log?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

it('are published without a service, filled from the log by one that runs, explained, and followed by a replay', async () => {
  const first = write('first', { large: rule('large', 1000) });
  expect(await command('apply', first, '--author', 'ann')).toMatchObject({ status: 0, outcome: 'live', revision: 1 });
  service = ServiceProcess.start(config);
  await service.ready();
  const producer = await log.producer();
  const send = async (id: string, account: string, amount: number, minute: number): Promise<void> => {
    const eventTime = Date.UTC(2026, 0, 5, 10, minute);
    const sent = { transactionId: id, accountId: account, eventTime, type: 'Payment', amount };
    const encoded = encoder.encode(sent);
    if (!encoded.ok) throw new Error(JSON.stringify(encoded.errors));
    await producer.send([{ topic: run, key: text.encode(account), value: encoded.bytes }]);
  };
  for (let i = 0; i < 20; i++) await send(`a${i}`, `A${i}`, 500, 1);
  await until(async () => (await status()).detector.recordsIn === 20, 'the first payments');
  const next = write('next', { large: rule('large', 1000), small: rule('small', 100, 'onUpdate: backfill\n') });
  const { url } = service;
  const before = new Set((await status()).detector.partitions.map(({ rules }) => rules));
  const applied = await CliProcess.run(['apply', next, '--to', url, '--author', 'bob', '--json']);
  expect(JSON.parse(applied.stdout)).toMatchObject({ revision: 2, changes: [{ id: 'small', runs: 'filled' }] });
  await until(async () => {
    const { partitions } = (await status()).detector;
    return partitions.length === 2 && partitions.every(({ rules }) => !before.has(rules));
  }, 'the rules to be filled, and in force');
  for (let i = 0; i < 20; i++) await send(`b${i}`, `A${i}`, 600, 5);
  for (let i = 0; i < 40; i++) await send(`c${i}`, `Z${i}`, 1, 7);
  await until(async () => (await status()).detector.matches.small === 20, '20 matches of the filled rule');
  expect((await status()).rules).toEqual({
    ...{ revision: 2, pending: [], intact: true, trouble: null },
    counts: { draft: 0, shadow: 0, live: 2, canary: 0, retired: 0 },
  });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('stakeout_rules_revision 2');
  expect(metrics).toContain('stakeout_rules{status="live"} 2');
  const at = '2026-01-05T10:05:00Z';
  const asked = await fetch(`${url}/v1/explanations?pattern=small&key=A3&at=${at}`);
  const explained = (await asked.json()) as { readonly alerts: readonly Alert[] };
  expect(explained).toMatchObject({
    pattern: 'small',
    key: 'A3',
    fired: true,
    runs: [{ end: { why: 'matched' } }, {}],
  });
  expect(explained.alerts[0]!.steps.map(({ events }) => events.map(({ id, values }) => [id, values]))).toEqual([
    [['a3', { amount: 500 }]],
    [['b3', { amount: 600 }]],
  ]);
  await service.stop();
  const why = await command('explain', '--pattern', 'large', '--key', 'A3', '--at', at);
  expect(why).toMatchObject({ fired: false, begins: [{ nearest: { event: { id: 'b3' } } }] });
  expect(await command('verify')).toMatchObject({ status: 0, equal: true, alertsLive: 20, repeats: 0 });
  const audited = await command('audit');
  expect(audited).toMatchObject({ status: 0, intact: true, entries: 2 });
  expect(await command('audit', '--hash', 'none')).toMatchObject({ status: 1, hasHash: false });
  expect(await command('rollback', '--author', 'ann')).toMatchObject({ status: 0, revision: 3 });
  await producer.close();
});
