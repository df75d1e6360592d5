/** A stream that is registered on real Kafka while records of another one come, and taken away again: nothing of either is lost or found twice. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { LogProducer } from '../../src/runtime/ports/log.js';
import { CliProcess } from '../harness/cli-process.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const run = `streams-${process.pid}-${Date.now()}`;
const text = new TextEncoder();

let folder: string;
let config: string;
let log: KafkaLog;
let producer: LogProducer;
let service: ServiceProcess | null = null;
let sent = 0;
/** Events that come when their rule is in force. */
const expected: string[] = [];

const stream = (topic: string) => ({
  ...{ topic, partitions: 2, format: 'ndjson', key: 'account', time: 'at', id: 'id', mode: 'arrival' },
});
const settings = (brokers: readonly string[]): string => `
name: ${run}
patterns: ./patterns
kafka: { brokers: ['${brokers.join("', '")}'], groupId: ${run} }
streams: { payments: ${JSON.stringify(stream(`${run}-payments`))} }
alerts: { topic: ${run}-alerts, shadowTopic: ${run}-shadow, partitions: 1 }
deadLetters: { topic: ${run}-dead-letters }
late: { topic: ${run}-late }
journal: { topic: ${run}-journal }
rules: { topic: ${run}-rules }
sources: { topic: ${run}-sources }
listStore: { topic: ${run}-lists }
http: { port: 0 }
data: { directory: ./data }
log: { level: info, format: json }
`;
const rule = (id: string, of: string): string =>
  `id: ${id}\nkey: account\nfrom: ${of}\npattern:\n  - begin: one\n    where: "amount > 10.0"\n`;

beforeAll(async () => {
  const [brokers] = await Promise.all([sharedKafka(), built()]);
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-streams-'));
  config = join(folder, 'stakeout.yaml');
  writeFileSync(config, settings(brokers));
  mkdirSync(join(folder, 'patterns', 'large'), { recursive: true });
  writeFileSync(join(folder, 'patterns', 'large', 'pattern.yaml'), rule('large', 'payments'));
  log = new KafkaLog({ brokers, clientId: run });
  for (const name of ['payments', 'logins']) await log.createTopic({ name: `${run}-${name}`, partitions: 2 });
  producer = await log.producer();
}, SERVER_START_MS);

afterAll(async () => {
  await service?.kill9();
  await producer?.close();
  await log?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: object) {
  const sends = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(service!.url + path, { method, ...sends });
  const answer = await response.text();
  return { status: response.status, body: answer === '' ? null : JSON.parse(answer) };
}

const ACCOUNTS = 7;

/** Sends an event of the next account; answers its id. */
async function send(name: string, isExpected = true): Promise<string> {
  const number = sent++;
  const id = `e${String(number).padStart(7, '0')}`;
  const event = { id, account: `A${number % ACCOUNTS}`, amount: 11, at: Date.UTC(2026, 0, 1) + number };
  const record = { key: text.encode(event.account), value: text.encode(JSON.stringify(event)) };
  await producer.send([{ topic: `${run}-${name}`, ...record }]);
  if (isExpected) expected.push(id);
  return id;
}

/** Sends events of each account until one of each has an alert: from then on the rule is in force in all partitions. */
async function sendUntilFound(name: string): Promise<void> {
  const ids: string[][] = Array.from({ length: ACCOUNTS }, () => []);
  await until(async () => {
    const id = await send(name, false);
    ids[Number(id.slice(1)) % ACCOUNTS]!.push(id);
    const found = (await alerted()).join();
    return ids.every((own) => own.some((one) => found.includes(one)));
  }, `the rule of ${name} to be in force`);
}

/** The alerts, as they are written: two of one event are the same. */
async function alerted(): Promise<readonly string[]> {
  const topic = (await log.topics()).find(({ name }) => name === `${run}-alerts`);
  const ids: string[] = [];
  for (let partition = 0; partition < (topic?.partitions ?? 0); partition++) {
    for await (const batch of log.read({ topic: topic!.name, partition }, 0))
      ids.push(...batch.records.map(({ value }) => Buffer.from(value ?? []).toString('latin1')));
  }
  return ids;
}

const apply = (...of: readonly string[]) =>
  ask('POST', '/v1/rules/apply', {
    files: of.map((name) => ({ file: `${name}/pattern.yaml`, text: rule(name === 'payments' ? 'large' : name, name) })),
    author: 'ann',
  });
const missing = async (): Promise<readonly string[]> => {
  const found = (await alerted()).join();
  return expected.filter((id) => !found.includes(id));
};
const allFound = async (): Promise<boolean> => (await missing()).length === 0;

it('comes and goes while payments come, and a replay finds the same', async () => {
  service = await ServiceProcess.start(config).ready();
  await send('payments');
  await until(allFound, 'the first alert');

  let isSending = true;
  const sending = until(async () => {
    await send('payments');
    return !isSending;
  }, 'the change');
  try {
    const put = await ask('PUT', '/v1/streams/logins', { definition: stream(`${run}-logins`), author: 'ann' });
    expect(put).toMatchObject({ status: 200, body: { origin: 'registered', usedBy: [] } });
    expect(await apply('payments', 'logins')).toMatchObject({ status: 200 });
    await sendUntilFound('logins');
    await until(async () => {
      await send('logins');
      return (await log.committed(run)).has(`${run}-logins-0`);
    }, 'the new stream to be read');
    expect(await ask('DELETE', '/v1/streams/logins?author=ann')).toMatchObject({ status: 409 });
  } finally {
    isSending = false;
    await sending;
  }
  await until(allFound, 'an alert of each event of both streams');

  expect(await apply('payments')).toMatchObject({ status: 200 });
  expect(await ask('DELETE', '/v1/streams/logins?author=ann')).toMatchObject({ status: 204 });
  await send('payments');
  await until(allFound, 'the last alert');
  const found = await alerted();
  expect(found.length).toBe(new Set(found).size);
  expect(expected.filter((id) => found.filter((alert) => alert.includes(id)).length !== 1)).toEqual([]);
  expect(await service.stop()).toBe(0);
  const verified = await CliProcess.run(['verify', '--config', config, '--topic', `${run}-payments`, '--json'], {
    cwd: folder,
  });
  expect([verified.status, JSON.parse(verified.stdout)]).toMatchObject([0, { equal: true }]);
});
