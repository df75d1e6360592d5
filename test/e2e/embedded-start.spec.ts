/** The real service as a child process, with nothing else: the embedded log, in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { CliProcess } from '../harness/cli-process.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';

interface Status {
  readonly detector: {
    readonly phase: string;
    readonly recordsIn: number;
    readonly partitions: readonly { readonly phase: string; readonly position: number; readonly lag: number }[];
  };
}

let folder: string;
let service: CliProcess | null = null;
let url = '';

beforeAll(built);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-embedded-'));
});
afterEach(async () => {
  await service?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<CliProcess> {
  service = CliProcess.start(['start'], { cwd: folder, env: { HTTP_PORT: '0', ...env } });
  url = await service.untilSaid(/POST (http:\S+)\/v1\/transactions/);
  await until(async () => (await fetch(`${url}/health/ready`)).status === 200, 'readiness');
  await until(async () => (await status()).detector.partitions.length === 4, 'four partitions');
  return service;
}

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(url + path);
  if (answer.status !== 200) throw new Error(`GET ${path} gave ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

const status = () => get<Status>('/v1/status');
const alerts = async () => (await get<{ readonly items: readonly Alert[] }>('/v1/alerts?limit=1000')).items;
const idsOf = (list: readonly Alert[]) => list.map(({ id }) => id);
const eventIds = (list: readonly Alert[]) =>
  list.flatMap(({ steps }) =>
    steps.flatMap(({ events }) => events.map(({ id, offset, partition }) => ({ id, at: `${partition}/${offset}` }))),
  );
const positions = async () => (await status()).detector.partitions.reduce((sum, { position }) => sum + position, 0);

async function post(
  body: unknown,
): Promise<{ readonly status: number; readonly type: string | null; readonly body: unknown }> {
  const answer = await fetch(`${url}/v1/transactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json() };
}

const NOON = Date.UTC(2026, 0, 1, 12);
const sent = (transactionId: string, minute: number, rest: object = {}) => ({
  ...{ transactionId, accountId: 'acc-1', eventTime: NOON + minute * 60_000, type: 'Payment', amount: 50 },
  ...rest,
});
const drain = [
  sent('t1', 0, { amount: 12_000 }),
  sent('t2', 1, { type: 'Withdrawal', amount: 400 }),
  sent('t3', 2, { type: 'Transfer', amount: 9_000, country: 'OFFSHORE' }),
];

/** Reads the live feed until an alert came. */
async function firstLiveAlert(): Promise<Alert> {
  const answer = await fetch(`${url}/v1/alerts/live`);
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += new TextDecoder().decode(chunk);
    const data = /event: alert\ndata: (.*)\n\n/.exec(text)?.[1];
    if (data !== undefined) return JSON.parse(data) as Alert;
  }
  throw new Error(`the live feed ended: ${text}`);
}

/** What must hold of the alerts, however often the service was stopped: none twice, and no id of a transaction given twice. */
function expectNothingTwice(list: readonly Alert[]): void {
  expect(new Set(idsOf(list)).size).toBe(list.length);
  const places = new Map<string, string>();
  for (const { id, at } of eventIds(list)) {
    expect(places.get(id) ?? at).toBe(at);
    places.set(id, at);
  }
}

describe('the demo', () => {
  it('gives its first alert within seconds, then live ones, and stops cleanly', async () => {
    const began = performance.now();
    const running = await start();
    const upMs = performance.now() - began;
    await running.untilSaid(/ALERT {2}\S+ .*/);
    const firstMs = performance.now() - began;
    process.stderr.write(`embedded demo: up after ${upMs.toFixed(0)} ms, first alert after ${firstMs.toFixed(0)} ms\n`);
    expect(firstMs).toBeLessThan(20_000);
    await until(async () => (await alerts()).length > 0, 'the alert over HTTP');
    const live = await firstLiveAlert();
    await until(async () => idsOf(await alerts()).includes(live.id), 'the live alert in the list');
    const { status: exit, stdout } = await running.end('SIGINT');
    expect(stdout).toContain('Stopped. Start again to go on from here.');
    expect(exit).toBe(0);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'goes on after %s where it was',
    async (signal) => {
      const running = await start({ STAKEOUT_DEMO_RATE: '1000' });
      await until(async () => (await alerts()).length > 0, 'an alert');
      const before = await alerts();
      const reached = await positions();
      await running.end(signal);
      await start({ STAKEOUT_DEMO_ENABLED: 'false' });
      await until(async () => (await status()).detector.partitions.every(({ lag }) => lag === 0), 'what was left over');
      expect(idsOf(await alerts())).toEqual(expect.arrayContaining(idsOf(before)));
      expectNothingTwice(await alerts());
      // Records that were not committed yet are processed again; the others are not.
      const { recordsIn } = (await status()).detector;
      expect(recordsIn).toBeLessThan(reached / 2);
      expect(await positions()).toBeGreaterThanOrEqual(reached);
      await service?.end('SIGINT');
      await start({ STAKEOUT_DEMO_RATE: '1000' });
      await until(async () => (await alerts()).length > before.length, 'a new alert');
      expectNothingTwice(await alerts());
    },
    300_000,
  );
});

describe('POST /transactions', () => {
  const own = { STAKEOUT_DEMO_ENABLED: 'false' };

  it('takes one, many, and tells everything that is wrong with a bad one', async () => {
    await start(own);
    expect(await post(sent('one', 0))).toMatchObject({
      status: 202,
      body: { accepted: 1, topic: 'transactions', ids: ['one'] },
    });
    expect(await post([sent('a', 0), sent('b', 1)])).toMatchObject({
      status: 202,
      body: { accepted: 2, ids: ['a', 'b'] },
    });
    const bad = await post([sent('c', 2), { accountId: 7, eventTime: 'noon', type: 'Gift', amount: '12' }]);
    expect(bad.status).toBe(422);
    expect(bad.type).toContain('application/problem+json');
    const { code, errors } = bad.body as { code: string; errors: readonly { path: string; message: string }[] };
    expect(code).toBe('INVALID_INPUT');
    expect(errors.map(({ path }) => path).toSorted()).toEqual([
      '[1].accountId',
      '[1].amount',
      '[1].eventTime',
      '[1].transactionId',
      '[1].type',
    ]);
    await until(async () => (await status()).detector.recordsIn === 3, 'three records, none of the refused list');
  });

  it('finds the classic sequence in what was sent, also when the service is killed in the middle of it', async () => {
    await start(own);
    expect((await post(drain.slice(0, 2))).status).toBe(202);
    await until(async () => (await status()).detector.recordsIn === 2, 'the first two');
    await service?.end('SIGKILL');
    await start(own);
    await post(drain.slice(2));
    // Time goes by only with events: this one moves the watermark past the third.
    await post(sent('t4', 3));
    await until(async () => (await alerts()).length > 0, 'the alert');
    const [alert, ...others] = await alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      patternId: 'offshore-drain',
      severity: 'high',
      key: 'acc-1',
      detectedAt: NOON + 120_000,
    });
    expect(alert?.steps.map(({ step, events }) => [step, ...events.map(({ id }) => id)])).toEqual([
      ['large', 't1'],
      ['cash', 't2'],
      ['offshore', 't3'],
    ]);
    expect((await service?.end('SIGINT'))?.status).toBe(0);
  });
});

interface Decided {
  readonly score: number;
  readonly completes: readonly Alert[];
  readonly code: string;
  readonly errors: readonly { readonly path: string }[];
}

describe('POST /v1/decisions', () => {
  const decide = async (transaction: unknown, query = ''): Promise<{ status: number; body: Decided }> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(transaction);
    const answer = await fetch(`${url}/v1/decisions${query}`, { method: 'POST', headers, body });
    return { status: answer.status, body: (await answer.json()) as Decided };
  };

  it('tells what a transaction would do from the state of the stream, and writes nothing', async () => {
    await start({ STAKEOUT_DEMO_ENABLED: 'false' });
    expect((await decide(drain[0])).body).toMatchObject({
      score: 0,
      completes: [],
      advances: expect.arrayContaining([
        { patternId: 'offshore-drain', key: 'acc-1', keyField: 'accountId', step: 'large', reached: 1, of: 3 },
      ]),
      ...{ late: false, waiting: 0, unanswered: [], asOf: { topic: 'transactions', position: 0, watermark: null } },
    });
    await post(drain.slice(0, 2));
    await until(async () => (await status()).detector.recordsIn === 2, 'the first two');
    const { status: answered, body } = await decide(drain[2]);
    expect(answered).toBe(200);
    expect(body).toMatchObject({ waiting: 1, completes: [{ patternId: 'offshore-drain', key: 'acc-1' }] });
    const [expected] = body.completes;
    expect(body.score).toBe(expected!.score);
    expect((await status()).detector.recordsIn).toBe(2);
    await post([drain[2], sent('t4', 3)]);
    await until(async () => (await alerts()).length > 0, 'the alert');
    expect(await alerts()).toEqual([{ ...expected, state: 'open' }]);
    expect((await decide(sent('t0', -9))).body).toMatchObject({ late: true, completes: [], advances: [] });
    expect((await service?.end('SIGINT'))?.status).toBe(0);
  });

  it('refuses what is no transaction of the stream, and names all that is wrong', async () => {
    await start({ STAKEOUT_DEMO_ENABLED: 'false' });
    const { status: refused, body } = await decide({ accountId: 7, type: 'Gift', amount: '12' });
    expect([refused, body.code]).toEqual([422, 'INVALID_INPUT']);
    expect(body.errors.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['accountId', 'amount', 'eventTime', 'transactionId', 'type']),
    );
    expect(await decide(drain[0], '?stream=nowhere')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});
