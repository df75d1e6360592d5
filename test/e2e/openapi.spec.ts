/** What the real service asks for and answers, held against its own OpenAPI document: on the embedded log, with the demo stream. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredAlertDto } from '../../src/service/alerts/alert.dto.js';
import { Documented, type Exchange, type OpenApi } from '../../src/service/testing/as-documented.js';
import { CliProcess } from '../harness/cli-process.js';
import { until } from '../harness/until.js';
import { built } from './kit/build.js';

let folder: string;
let service: CliProcess | null = null;
let url = '';

beforeAll(built);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-openapi-'));
});
afterEach(async () => {
  await service?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const deviations: string[] = [];
let documented: Documented;

async function ask<T>(method: string, path: string, sent?: unknown): Promise<{ readonly status: number; body: T }> {
  const answer = await fetch(url + path, {
    method,
    ...(sent === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(sent, null, 1) }),
  });
  const type = answer.headers.get('content-type') ?? undefined;
  // A live stream does not end: it is held against its type alone.
  const isStream = type?.startsWith('text/event-stream') === true;
  if (isStream) await answer.body?.cancel();
  const exchange: Exchange = {
    method,
    url: path,
    sent,
    status: answer.status,
    type,
    body: isStream ? '' : await answer.text(),
  };
  deviations.push(...documented.deviations(exchange));
  return {
    status: answer.status,
    body: (/[/+]json/.test(type ?? '') ? JSON.parse(exchange.body) : exchange.body) as T,
  };
}

async function done<T>(method: string, path: string, sent?: unknown): Promise<T> {
  const { status, body } = await ask<T>(method, path, sent);
  if (status >= 300) throw new Error(`${method} ${path} gave ${status}: ${JSON.stringify(body)}`);
  return body;
}

it('answers everything as its OpenAPI document says', async () => {
  service = CliProcess.start(['start'], {
    cwd: folder,
    env: { HTTP_PORT: '0', STAKEOUT_DEMO_RATE: '1000' },
  });
  url = await service.untilSaid(/POST (http:\S+)\/v1\/transactions/);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
  documented = new Documented(document);
  await until(async () => (await ask('GET', '/health/ready')).status === 200, 'readiness');
  const newest = async () => (await done<{ items: StoredAlertDto[] }>('GET', '/v1/alerts?limit=1')).items[0];
  const alert = (await until(newest, 'an alert'))!;
  const { patternId, key } = alert;

  await done('POST', `/v1/alerts/${alert.id}/feedback`, { verdict: 'unsure', note: 'looks odd', author: 'ann' });
  const snooze = await done<{ id: string }>('POST', '/v1/snoozes', {
    key,
    pattern: patternId,
    until: '2999-01-01T00:00:00Z',
  });
  await done('PUT', '/v1/lists/friends?author=ann&message=new', ['a', 'b']);
  await done('PATCH', '/v1/lists/friends', { put: ['c'], remove: ['a'] });
  await done('PUT', '/v1/lists/friends/entries/d', {});
  const sink = { type: 'parquet', directory: join(folder, 'table') };
  await done('PUT', '/v1/sinks/lake', { definition: sink, author: 'ann', message: 'for reports' });
  await done('POST', '/v1/sinks/lake/pause', { author: 'ann', message: 'moved' });
  await done('POST', '/v1/sinks/lake/resume', { author: 'ann' });
  const savepoint = await done<{ name: string }>('POST', '/v1/savepoints');
  const { yaml } = await done<{ yaml: string }>('GET', `/v1/patterns/${patternId}`);
  await done('POST', '/v1/validate', { files: [{ file: 'a.yaml', text: yaml }] });
  await done('POST', '/v1/validate', { files: [{ file: 'a.yaml', text: yaml.replace('key:', 'kye:') }] });
  await done('POST', '/v1/automaton', { text: yaml });
  const { text: tests } = await done<{ text: string }>('GET', `/v1/patterns/${patternId}/tests`);
  await done('POST', '/v1/test', { yaml, tests });
  await done('PUT', `/v1/patterns/${patternId}`, {
    yaml: yaml.replace('status: live', 'status: shadow'),
    author: 'ann',
    message: 'look',
  });
  await done('POST', `/v1/patterns/${patternId}/status`, { status: 'live', author: 'ann', message: 'good' });
  await done('POST', '/v1/rollback', { author: 'ann', message: 'no' });
  const job = await done<{ id: string }>('POST', '/v1/backtests', { title: 'all', rules: { ids: [patternId] } });
  const ended = async () => /done|failed/.test((await done<{ state: string }>('GET', `/v1/backtests/${job.id}`)).state);
  await until(ended, 'the back-test');
  const transaction = { transactionId: 'x', accountId: key, eventTime: Date.now(), type: 'Payment', amount: 1 };
  await done('POST', '/v1/decisions', transaction);
  await done('POST', '/v1/transactions', [transaction]);
  await done('POST', '/v1/streams/transactions/events', transaction);

  const values: Readonly<Record<string, string>> = {
    '/v1/alerts/{id}': alert.id,
    '/v1/backtests/{id}': job.id,
    '/v1/lists/{name}': 'friends',
    '/v1/lists/{name}/entries/{key}': 'b',
    '/v1/patterns/{id}': patternId,
    '/v1/patterns/{id}/versions/{revision}': alert.revision,
    '/v1/revisions/{n}': '1',
    '/v1/risk/{key}': key,
    '/v1/savepoints/{name}': savepoint.name,
    '/v1/sinks/{name}': 'lake',
    '/v1/streams/{name}': 'transactions',
    '/v1/templates/{id}': 'large-payment',
  };
  const queries: Readonly<Record<string, readonly string[]>> = {
    '/v1/alerts': [
      `?from=2000-01-01T00:00:00Z&to=2999-01-01&key=${key}&pattern=${patternId}&severity=${alert.severity}&q=a&state=unsure`,
    ],
    '/v1/explanations': [`?alert=${alert.id}`, `?key=${key}&pattern=${patternId}&at=${alert.detectedAt}`],
    '/v1/features': [`?alert=${alert.id}&events=5`, `?key=${key}&pattern=${patternId}`],
  };
  const statuses: Record<string, number> = {};
  for (const [template, methods] of Object.entries(document.paths)) {
    if (methods.get === undefined) continue;
    const path = [...template.matchAll(/\{\w+\}/g)].reduce((text, { index, 0: name }) => {
      const value = values[template.slice(0, index + name.length)];
      if (value === undefined) throw new Error(`no value for ${name} of ${template}: add one to this test`);
      return text.replace(name, encodeURIComponent(value));
    }, template);
    for (const query of ['', ...(queries[template] ?? [])]) {
      const { status } = await ask('GET', path + query);
      if (status !== 200) statuses[template + query.replace(/=[^&]*/g, '')] = status;
    }
  }
  for (const path of [
    `/v1/snoozes/${snooze.id}`,
    '/v1/sinks/lake',
    '/v1/lists/friends?author=ann',
    `/v1/backtests/${job.id}`,
  ])
    await done('DELETE', path);
  expect([...new Set(deviations)]).toEqual([]);
  // Two must be told of what; there is no Redis.
  expect(statuses).toEqual({ '/v1/explanations': 400, '/v1/features': 400, '/v1/risk/{key}': 404 });
  expect((await service.end('SIGINT')).status).toBe(0);
}, 300_000);
