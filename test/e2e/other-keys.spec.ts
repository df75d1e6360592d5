/** Features of another key in the real service, on the embedded log: counted on topics of their own, through a kill, asked about, explained, replayed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { CliProcess } from '../harness/cli-process.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const START = Date.UTC(2026, 0, 5);
/** Enough for every partition to have some: time goes on by events alone, as no partition counts as idle. */
const USERS = Array.from({ length: 20 }, (_, i) => `U${i}`);
const TERMINALS = Array.from({ length: 12 }, (_, i) => `T${i}`);
const TOPIC = 'stakeout-features-by-terminal-by-user';

const RULE = `
id: after-frauds-there
key: user
from: payments
features:
  - {name: frauds, count: true, from: chargebacks, over: 1h, lagging: 1s, key: terminal}
pattern: [{begin: payment, where: frauds >= 2}]
alert: {message: "{{ frauds }} frauds at {{ payment.terminal }}"}
`;

const SETTINGS = `
patterns: ./patterns
streams:
  payments: {topic: payments, partitions: 3, format: ndjson, key: user, time: at, id: id, outOfOrderness: 0s, idleAfter: 0s}
  chargebacks: {topic: chargebacks, partitions: 2, format: ndjson, key: terminal, time: at, id: id, outOfOrderness: 0s, idleAfter: 0s}
snapshot: {interval: 500ms}
http: {port: 0}
data: {directory: ./data}
log: {level: info, format: json}
`;

let folder: string;
let config: string;
let service: ServiceProcess;

beforeAll(async () => {
  await built();
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-other-keys-'));
  config = join(folder, 'stakeout.yaml');
  writeFileSync(config, SETTINGS);
  mkdirSync(join(folder, 'patterns', 'after-frauds-there'), { recursive: true });
  writeFileSync(join(folder, 'patterns', 'after-frauds-there', 'pattern.yaml'), RULE);
  service = await ServiceProcess.start(config).ready();
});

afterAll(async () => {
  await service?.kill9();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

type Event = Readonly<Record<string, string | number>>;

async function post(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${service.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function send(stream: string, events: readonly Event[]): Promise<void> {
  const response = await post(`/v1/streams/${stream}/events`, events);
  expect([response.status, await response.json()]).toMatchObject([202, { accepted: events.length }]);
}

const payment = (id: string, user: string, terminal: string, second: number): Event => ({
  ...{ id, user, terminal },
  at: START + second * 1000,
});
const chargeback = (id: string, terminal: string, second: number): Event => ({
  ...{ id, terminal },
  at: START + second * 1000,
});

/** Events of no interest in every partition of both streams. */
async function moveOn(second: number): Promise<void> {
  await send(
    'payments',
    USERS.map((user) => payment(`${user}-${second}`, user, 'quiet', second)),
  );
  await send(
    'chargebacks',
    TERMINALS.map((terminal) => chargeback(`${terminal}-${second}`, `${terminal}-other-${second}`, second)),
  );
}

/** Waits for so many alerts, and tells of what payment each is, and what it says; none may be there twice. */
async function told(count: number): Promise<readonly string[]> {
  let found: readonly Alert[] = [];
  await until(
    async () => {
      const answer = await fetch(`${service.url}/v1/alerts?limit=1000`);
      found = ((await answer.json()) as { readonly items: readonly Alert[] }).items;
      return found.length >= count;
    },
    () => `${count} alerts: ${JSON.stringify(found.map(({ key }) => key))}`,
  );
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  return found.map(({ steps, message }) => `${steps[0]!.events[0]!.id}: ${message}`).toSorted();
}

const wanted = (name: string, frauds: number): readonly string[] =>
  USERS.map((user) => `${name}-${user}: ${frauds} frauds at T1`);

describe('a service with a rule that has a feature of another key', () => {
  it('counts it over all partitions, and over a process that is killed', async () => {
    await send('chargebacks', [chargeback('c1', 'T1', 1), chargeback('c2', 'T1', 2), chargeback('c3', 'T2', 2)]);
    await send(
      'payments',
      USERS.flatMap((user) => [payment(`a-${user}`, user, 'T1', 10), payment(`b-${user}`, user, 'T2', 10)]),
    );
    await moveOn(20);
    expect(await told(USERS.length)).toEqual(wanted('a', 2).toSorted());
    await service.kill9();
    service = await ServiceProcess.start(config).ready();
    await send('chargebacks', [chargeback('c4', 'T1', 30)]);
    await send(
      'payments',
      USERS.map((user) => payment(`d-${user}`, user, 'T1', 40)),
    );
    await moveOn(50);
    expect(await told(2 * USERS.length)).toEqual([...wanted('a', 2), ...wanted('d', 3)].toSorted());
  });

  it('decides by it', async () => {
    const decided = async (terminal: string) => {
      const answer = await post('/v1/decisions?stream=payments', payment('asked', 'U3', terminal, 60));
      expect(answer.status).toBe(200);
      return (await answer.json()) as { readonly completes: readonly object[]; readonly unanswered: readonly string[] };
    };
    expect(await decided('T1')).toMatchObject({ completes: [{ patternId: 'after-frauds-there' }], unanswered: [] });
    expect(await decided('T2')).toMatchObject({ completes: [], unanswered: [] });
  });

  it('tells what it is for a value of that key now', async () => {
    const asked = async (query: string) => {
      const answer = await fetch(`${service.url}/v1/features?pattern=after-frauds-there&${query}`);
      return [answer.status, await answer.json()];
    };
    const asOf = { topic: 'stakeout-features-by-terminal', watermark: START + 50_000 - 1 };
    expect(await asked('key=T1&keyField=terminal&events=2')).toMatchObject([
      200,
      {
        ...{ key: 'T1', keyField: 'terminal' },
        items: [{ isKnown: true, features: { frauds: 3 }, events: { frauds: [{ time: START + 30_000 }, {}] }, asOf }],
      },
    ]);
    expect(await asked('key=T9&keyField=terminal')).toMatchObject([
      200,
      { items: [{ isKnown: false, features: { frauds: 0 } }] },
    ]);
    expect(await asked('key=U3')).toMatchObject([200, { keyField: 'user', items: [{ features: {} }] }]);
    const { items } = (await (await fetch(`${service.url}/v1/alerts?key=U3&limit=1`)).json()) as {
      items: readonly Alert[];
    };
    const ofAlert = await (await fetch(`${service.url}/v1/features?alert=${items[0]!.id}`)).json();
    expect(ofAlert).toMatchObject({
      keyField: 'user',
      items: [
        { key: 'U3', keyField: 'user', features: {} },
        { key: 'T1', keyField: 'terminal', features: { frauds: 3 } },
      ],
    });
    expect(await asked('key=U3&keyField=device')).toMatchObject([400, { errors: [{ path: 'keyField' }] }]);
  });

  it('explains by it', async () => {
    const at = new Date(START + 10_000).toISOString();
    const answer = await fetch(`${service.url}/v1/explanations?pattern=after-frauds-there&key=U3&at=${at}`);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringMatching(/frauds/)]);
  });

  it('is replayed to the same alerts, from its topic and from those of the streams', async () => {
    await service.stop();
    const verified = await CliProcess.run(['verify', '--config', config, '--topic', TOPIC, '--json']);
    expect([verified.status, JSON.parse(verified.stdout)]).toMatchObject([0, { equal: true }]);
    const args = ['backtest', '--config', config, '--topic', 'payments', '--json'];
    const { status, stdout, stderr } = await CliProcess.run(args);
    expect([status, stderr]).toEqual([0, '']);
    const alerts = 2 * USERS.length;
    expect(JSON.parse(stdout)).toMatchObject({
      parity: { equal: true, alertsLive: alerts, alertsReplayed: alerts },
    });
  });
});
