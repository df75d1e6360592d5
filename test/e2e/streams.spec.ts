/** Two streams joined on real Kafka: a SIM card swapped, a password reset, money out; and money that passes through an account. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertCodec } from '../../src/connectors/avro/alert-codec.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { CliProcess } from '../harness/cli-process.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';
import { TopicReader } from './kit/topic-reader.js';

const run = `streams-${process.pid}-${Date.now()}`;
/** Enough for every partition to have some of them: time goes on by their events alone, as no partition counts as idle. */
const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `A${i}`);

const START = Date.UTC(2026, 0, 5);

const RULES = {
  'sim-swap-transfer': `
title: A new SIM card, a password reset, then money out
key: {by: {transactions: from, logins: user}}
within: 1d
pattern:
  - {begin: swap, from: logins, where: action == 'sim-swap'}
  - {followedBy: reset, from: logins, where: action == 'password-reset' && ip != swap.ip}
  - {followedBy: transfer, from: transactions, where: amount > 1000.0}
skip: pastLastEvent
alert: {severity: critical, message: "{{ transfer.amount }} left {{ key }} after a reset from {{ reset.ip }}"}`,
  'pass-through': `
title: Money that comes and goes
key: {each: [from, to]}
from: transactions
within: 1h
pattern:
  - {begin: came, where: to == key}
  - {followedBy: went, where: from == key && amount >= 0.9 * came.amount}
skip: pastLastEvent`,
};

let folder: string;
let config: string;
let log: KafkaLog;
let alerts: TopicReader;
let service: ServiceProcess;

const settings = (brokers: readonly string[]): string => `
name: ${run}
patterns: ./patterns
kafka: { brokers: ['${brokers.join("', '")}'], groupId: ${run} }
streams:
  transactions: {topic: ${run}-transactions, partitions: 3, format: ndjson, key: from, time: at, id: id, outOfOrderness: 0s, idleAfter: 0s}
  logins: {topic: ${run}-logins, partitions: 2, format: ndjson, key: user, time: at, id: id, outOfOrderness: 0s, idleAfter: 0s}
alerts: { topic: ${run}-alerts, partitions: 1 }
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
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-streams-'));
  config = join(folder, 'stakeout.yaml');
  writeFileSync(config, settings(brokers));
  for (const [id, body] of Object.entries(RULES)) {
    mkdirSync(join(folder, 'patterns', id), { recursive: true });
    writeFileSync(join(folder, 'patterns', id, 'pattern.yaml'), `id: ${id}${body}\n`);
  }
  log = new KafkaLog({ brokers, clientId: run });
  alerts = new TopicReader(log, `${run}-alerts`);
  service = await ServiceProcess.start(config).ready();
}, SERVER_START_MS);

afterAll(async () => {
  await service?.kill9();
  await log?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

type Event = Readonly<Record<string, string | number>>;

async function send(stream: string, events: readonly Event[]): Promise<void> {
  const response = await fetch(`${service.url}/v1/streams/${stream}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  expect([response.status, await response.json()]).toMatchObject([202, { accepted: events.length }]);
}

const login = (user: string, action: string, second: number, ip: string): Event => {
  return { id: `${user}-${action}`, user, action, at: START + second * 1000, ip };
};
const payment = (id: string, from: string, to: string, at: number, amount: number): Event => {
  return { id, from, to, amount, at };
};

/** Payments of no interest, in every partition. */
const moveOn = (at: number): readonly Event[] =>
  ACCOUNTS.map((account) => payment(`${account}-${at}`, account, 'nobody', at, 1));

/** Waits for so many alerts, and tells them by rule, key and events; none may be there twice. */
async function told(count: number): Promise<readonly string[]> {
  const codec = new AlertCodec();
  let found: readonly Alert[] = [];
  await until(
    async () => {
      found = (await alerts.read()).map(({ value }) => codec.decode(value!));
      return found.length >= count;
    },
    () => `${count} alerts: ${JSON.stringify(found.map(({ patternId, key }) => `${patternId} ${key}`))}`,
  );
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  return found
    .map(
      ({ patternId, key, steps }) =>
        `${patternId} ${key}: ${steps.flatMap((s) => s.events.map((e) => e.id)).join(' ')}`,
    )
    .toSorted();
}

const swaps = (accounts: readonly string[]): readonly string[] =>
  accounts.map((account) => `sim-swap-transfer ${account}: ${account}-sim-swap ${account}-password-reset t-${account}`);

/** What `stakeout verify` says of a topic. */
async function verified(topic: string): Promise<{ readonly status: number | null; readonly result: unknown }> {
  const { status, stdout, stderr } = await CliProcess.run(['verify', '--config', config, '--topic', topic, '--json']);
  return { status, result: stdout === '' ? stderr : JSON.parse(stdout) };
}

describe('a service over two streams on Kafka', () => {
  it('joins them by a key of another name in each, whichever comes first, and over a process that is killed', async () => {
    // The transfers are there first, in order of arrival; in event time they come last.
    await send(
      'transactions',
      ACCOUNTS.map((account) => payment(`t-${account}`, account, 'shop', START + 2000, 2000)),
    );
    await send(
      'logins',
      ACCOUNTS.map((account) => login(account, 'sim-swap', 0, '10.0.0.1')),
    );
    await service.kill9();
    service = await ServiceProcess.start(config).ready();
    await send(
      'logins',
      ACCOUNTS.slice(0, 15).map((account) => login(account, 'password-reset', 1, '10.0.0.2')),
    );
    // From the same address: not suspicious.
    await send(
      'logins',
      ACCOUNTS.slice(15).map((account) => login(account, 'password-reset', 1, '10.0.0.1')),
    );
    await send(
      'logins',
      ACCOUNTS.map((account) => ({ ...login(account, 'logout', 3, '10.0.0.1') })),
    );
    await send('transactions', moveOn(START + 4000));
    expect(await told(15)).toEqual(swaps(ACCOUNTS.slice(0, 15)).toSorted());
  });

  it('counts an event once for each account that it names', async () => {
    const now = START + 10_000;
    await send('transactions', [
      payment('in-1', 'X', 'Y', now, 100),
      payment('out-1', 'Y', 'Z', now + 5, 95),
      payment('self', 'W', 'W', now + 6, 10),
      ...moveOn(now + 10),
    ]);
    const flow = ['pass-through Y: in-1 out-1'];
    expect(await told(16)).toEqual([...flow, ...swaps(ACCOUNTS.slice(0, 15)).toSorted()]);
  });

  it('has a topic for each key, which a replay finds the same alerts in', async () => {
    const topics = (await log.topics()).map(({ name }) => name);
    const routed = [`${run}-by-logins.user-and-transactions.from`, `${run}-transactions-by-from-or-to`];
    expect(topics).toEqual(expect.arrayContaining(routed));
    for (const topic of routed) {
      const { status, result } = await verified(topic);
      expect([topic, status, result]).toMatchObject([topic, 0, { equal: true }]);
    }
  });

  it('finds the same alerts in a back-test of both topics', async () => {
    for (const lanes of ['1', '2']) {
      const args = ['backtest', '--config', config, '--topic', `${run}-transactions`, '--lanes', lanes, '--json'];
      const { status, stdout, stderr } = await CliProcess.run(args);
      expect([status, stderr]).toEqual([0, '']);
      const result = JSON.parse(stdout) as { readonly events: number; readonly parity: object };
      // Payments: 20 of 2,000, 20 and 20 of no interest, and 3; logins: 60.
      expect(result).toMatchObject({ events: 123, parity: { equal: true, alertsLive: 16, alertsReplayed: 16 } });
    }
  });
});
