/** A service on real Kafka, and back-tests of the same topic with the same rules: by range, by HTTP and by the command. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { dice } from '../../src/runtime/testing/dice.js';
import type { BacktestJob } from '../../src/service/backtests/backtest-job.js';
import { CliProcess } from '../harness/cli-process.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built, root } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const run = `backtest-${process.pid}-${Date.now()}`;
const schema = join(root, 'schemas/transaction.avsc');
const encoder = new TransactionEncoder(readAvroSchema(schema));
const text = new TextEncoder();
const PARTITIONS = 4;
const EVENTS = 4000;
/** Not long ago, or the broker's retention would delete them. */
const START = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2 * 86_400_000;
const STEP_MS = 20_000;
/** The scored range: the third and fourth quarter, but for a tail that the watermark may not have passed. */
const [FROM, TO] = [START + (EVENTS / 2) * STEP_MS, START + (EVENTS - 200) * STEP_MS].map((time) =>
  new Date(time).toISOString(),
) as [string, string];

let folder: string;
let config: string;
let log: KafkaLog;
let service: ServiceProcess | null = null;

const RULES = {
  pair: 'id: pair\nkey: accountId\nwithin: 1h\npattern:\n  - begin: one\n    where: amount > 700.0\n  - followedBy: two\n    where: amount > 800.0\nskip: noSkip\n',
  usual:
    'id: usual\nkey: accountId\nfeatures:\n  - {name: usual, avg: amount, over: 2h, lagging: 1ms}\n  - {name: known, count: true, over: 2h, lagging: 1ms}\npattern:\n  - begin: one\n    where: known >= 3 && amount > 1.8 * usual\nskip: noSkip\n',
};

const settings = (brokers: readonly string[]): string => `
name: ${run}
patterns: ./patterns
kafka: { brokers: ['${brokers.join("', '")}'], groupId: ${run} }
streams:
  transactions:
    { topic: ${run}, partitions: ${PARTITIONS}, schema: ${schema}, key: accountId, time: eventTime, id: transactionId, type: type, outOfOrderness: 1m, idleAfter: 0s }
alerts: { topic: ${run}-alerts, partitions: 2 }
deadLetters: { topic: ${run}-dead-letters }
late: { topic: ${run}-late }
journal: { topic: ${run}-journal }
rules: { topic: ${run}-rules }
http: { port: 0 }
data: { directory: ./data }
log: { level: info, format: json }
`;

beforeAll(async () => {
  const [brokers] = await Promise.all([sharedKafka(), built()]);
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-backtest-kafka-'));
  config = join(folder, 'stakeout.yaml');
  writeFileSync(config, settings(brokers));
  for (const [id, body] of Object.entries(RULES)) {
    mkdirSync(join(folder, 'patterns', id), { recursive: true });
    writeFileSync(join(folder, 'patterns', id, 'pattern.yaml'), body);
  }
  log = new KafkaLog({ brokers, clientId: run });
}, SERVER_START_MS);

afterAll(async () => {
  await service?.kill9();
  await log?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Payments of 40 accounts, some up to two minutes late; each is written at its own time, as the log's timestamps say. */
async function send(from: number, to: number): Promise<void> {
  const roll = dice(7 + from);
  const producer = await log.producer();
  const records = Array.from({ length: to - from }, (_, i) => {
    const at = START + (from + i) * STEP_MS;
    const account = `A${roll(40)}`;
    const sent = { transactionId: `t${from + i}`, accountId: account, type: 'Payment', amount: roll(1000) };
    const encoded = encoder.encode({ ...sent, eventTime: at - roll(120_000) });
    if (!encoded.ok) throw new Error(JSON.stringify(encoded.errors));
    return { topic: run, key: text.encode(account), value: encoded.bytes, timestamp: at };
  });
  await producer.send(records);
  await producer.close();
}

interface Result {
  readonly events: number;
  readonly digest: string;
  readonly lanes: number;
  readonly parity: { readonly equal: boolean; readonly alertsLive: number; readonly alertsReplayed: number } | null;
}

async function backtest(...args: readonly string[]): Promise<Result> {
  const command = ['backtest', '--config', config, '--topic', run, '--from', FROM, '--to', TO, '--json', ...args];
  const { status, stdout, stderr } = await CliProcess.run(command);
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Result;
}

async function job(url: string): Promise<BacktestJob> {
  const answer = await fetch(`${url}/v1/backtests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ from: FROM, to: TO }),
  });
  const asked = (await answer.json()) as BacktestJob;
  expect([answer.status, asked]).toEqual([202, expect.anything()]);
  let last = asked;
  await until(async () => {
    last = (await (await fetch(`${url}/v1/backtests/${asked.id}`)).json()) as BacktestJob;
    return last.endedAt !== null;
  }, 'the back-test to end');
  return last;
}

it('find the alerts that the service has committed, over a range, and leave its group alone', async () => {
  service = ServiceProcess.start(config);
  await service.ready();
  await send(0, EVENTS / 4);
  await send(EVENTS / 4, EVENTS);
  const { url } = service;
  await until(async () => (await service!.status()).detector.recordsIn === EVENTS, 'all records');
  await until(async () => {
    const committed = await log.committed(run);
    return [...committed.values()].reduce((sum, offset) => sum + offset, 0) === EVENTS;
  }, 'all to be committed');
  const before = await log.committed(run);

  const done = await job(url);
  expect(done).toMatchObject({ state: 'done', error: null, summary: { parity: true } });
  const report = await (await fetch(`${url}/v1/backtests/${done.id}/report`)).text();
  const { digest } = done.summary!;
  expect(report).toMatch(new RegExp(`Parity: equal, [\\d,.  ]+ alerts of the service, digest ${digest}\\.`));

  for (const lanes of ['1', '2', '4']) {
    const beside = await backtest('--lanes', lanes);
    expect(beside).toMatchObject({ digest, parity: { equal: true }, lanes: Number(lanes) });
    expect(beside.parity!.alertsLive).toBeGreaterThan(100);
    // It begins where the rules' look-back does.
    expect(beside.events).toBeLessThan(EVENTS * 0.6);
  }
  const whole = await backtest('--warmup', '365d');
  expect(whole).toMatchObject({ events: EVENTS, digest, parity: { equal: true } });
  expect(await log.committed(run)).toEqual(before);
  await service.stop();
});

it('say that there is nothing to compare with where the rules are others', async () => {
  const other = join(folder, 'other', 'pair');
  mkdirSync(other, { recursive: true });
  writeFileSync(join(other, 'pattern.yaml'), RULES.pair.replace('800.0', '900.0'));
  expect((await backtest('--patterns', join(folder, 'other'))).parity).toBeNull();
});
