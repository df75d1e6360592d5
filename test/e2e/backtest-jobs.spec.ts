/** Back-tests of what a running service has taken in: asked for over HTTP, and by the command beside it. On the embedded log. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BacktestJob } from '../../src/service/backtests/backtest-job.js';
import { CliProcess } from '../harness/cli-process.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';

interface Status {
  readonly detector: { readonly partitions: readonly { readonly position: number; readonly lag: number }[] };
}

interface Result {
  readonly digest: string;
  readonly lanes: number;
  readonly parity: { readonly equal: boolean; readonly alertsLive: number } | null;
}

let folder: string;
let service: CliProcess | null = null;
let url = '';

beforeAll(async () => {
  await built();
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-backtests-'));
  await someHistory();
});
afterAll(async () => {
  await service?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** No clock of an idle partition is moved on, so that the records alone decide. */
const env = { STAKEOUT_STREAMS_TRANSACTIONS_IDLE_AFTER: '0s' };

async function start(more: Readonly<Record<string, string>>): Promise<void> {
  service = CliProcess.start(['start'], { cwd: folder, env: { HTTP_PORT: '0', ...env, ...more } });
  url = await service.untilSaid(/POST (http:\S+)\/v1\/transactions/);
  await until(async () => (await fetch(`${url}/health/ready`)).status === 200, 'readiness');
}

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(url + path);
  if (answer.status !== 200) throw new Error(`GET ${path} gave ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

const alertCount = async (): Promise<number> => (await get<{ items: unknown[] }>('/v1/alerts?limit=1000')).items.length;
const partitions = async () => (await get<Status>('/v1/status')).detector.partitions;

/** The demo for a while, and then the same service with nothing more to come. */
async function someHistory(): Promise<void> {
  await start({ STAKEOUT_DEMO_RATE: '2000' });
  await until(async () => (await alertCount()) >= 10, 'alerts');
  await service?.end('SIGINT');
  await start({ STAKEOUT_DEMO_ENABLED: 'false' });
  await until(async () => {
    const all = await partitions();
    return all.length === 4 && all.every(({ lag }) => lag === 0);
  }, 'what was left over');
}

async function jobOf(body: object): Promise<BacktestJob> {
  const answer = await fetch(`${url}/v1/backtests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([202, 'application/json; charset=utf-8']);
  const { id } = (await answer.json()) as BacktestJob;
  return ended(id);
}

function ended(id: string): Promise<BacktestJob> {
  return until(
    async () => {
      const job = await get<BacktestJob>(`/v1/backtests/${id}`);
      return job.endedAt === null ? undefined : job;
    },
    () => `back-test ${id} to end`,
  ) as Promise<BacktestJob>;
}

describe('a back-test of what a running service has taken in', () => {
  it('finds the alerts that the service has committed, by HTTP and by the command, with any number of lanes', async () => {
    const job = await jobOf({ title: 'the rules in force' });
    expect(job).toMatchObject({ state: 'done', error: null, summary: { parity: true } });
    const result = await get<Result>(`/v1/backtests/${job.id}/result`);
    expect(result.parity!.alertsLive).toBeGreaterThanOrEqual(10);
    const report = await (await fetch(`${url}/v1/backtests/${job.id}/report`)).text();
    expect(report).toContain(
      `Parity: equal, ${result.parity!.alertsLive} alerts of the service, digest ${result.digest}.`,
    );
    const config = join(folder, 'beside.yaml');
    writeFileSync(config, 'name: beside\n');
    for (const lanes of ['1', '2', '4']) {
      const args = ['backtest', '--config', config, '--topic', 'transactions', '--lanes', lanes, '--json'];
      const { status, stdout, stderr } = await CliProcess.run(args, { cwd: folder, env });
      expect([status, stderr]).toEqual([0, '']);
      const beside = JSON.parse(stdout) as Result;
      expect(beside).toMatchObject({ digest: result.digest, parity: { equal: true }, lanes: Number(lanes) });
    }
  });

  it('says of one that cannot be run why, and goes on after a restart with one that was cut short', async () => {
    expect(await jobOf({ topic: 'nothing' })).toMatchObject({ state: 'failed', error: 'There is no topic nothing.' });
    const answer = await fetch(`${url}/v1/backtests`, { method: 'POST' });
    const { id } = (await answer.json()) as BacktestJob;
    await service?.end('SIGKILL');
    await start({ STAKEOUT_DEMO_ENABLED: 'false' });
    const job = await ended(id);
    expect(job).toMatchObject({ state: 'done' });
    expect(job.attempts).toBeLessThanOrEqual(2);
  });
});
