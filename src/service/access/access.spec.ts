import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/harness/until.js';
import { ROLES, type Role, type SettingsOverrides } from '../../runtime/settings/index.js';
import { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import { aService, someSettings, type TestService } from '../testing/a-service.js';
import { anAlert } from '../testing/an-alert.js';
import { Access } from './access.js';
import { hashOfKey, newKey } from './api-keys.js';

const keyOf: Readonly<Record<Role, string>> = {
  viewer: newKey(),
  analyst: newKey(),
  approver: newKey(),
  operator: newKey(),
};
const keys = Object.fromEntries(ROLES.map((role) => [`the-${role}`, { role, hash: hashOfKey(keyOf[role]) }]));
const withKeys = (over: SettingsOverrides = {}, access: SettingsOverrides['access'] = {}): SettingsOverrides => ({
  http: { port: 0 },
  ...over,
  access: { keys, ...access },
});

let test: TestService;
afterEach(() => test?.service.stop());

async function started(
  settings: SettingsOverrides = withKeys(),
  parts: Parameters<typeof aService>[0] = {},
): Promise<void> {
  test = await aService(parts, { settings });
  await test.service.start();
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
const ask = (method: Method, url: string, key?: string, more: { payload?: object; headers?: object } = {}) =>
  test.service.app.inject({
    ...{ method, url },
    ...(more.payload === undefined ? {} : { payload: more.payload }),
    headers: { ...more.headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
  });

/** What each path is for: `-` everyone; the least role else. The table of docs/security.md says the same. */
const TABLE = `
- GET /health/live /health/ready /health/started /metrics /v1/login
viewer GET /v1/alerts /v1/alerts/groups /v1/alerts/:id /v1/alerts/live
viewer GET /v1/backtests /v1/backtests/:id /v1/backtests/:id/events
viewer GET /v1/delivery /v1/lanes /v1/lists /v1/lists/:name /v1/me /v1/patterns /v1/patterns/:id
viewer GET /v1/patterns/:id/revisions /v1/patterns/:id/shadow /v1/patterns/:id/tests /v1/rules
viewer GET /v1/patterns/:id/versions/:revision /v1/revisions /v1/revisions/:n
viewer GET /v1/savepoints /v1/savepoints/:name /v1/sinks /v1/sinks/:name /v1/status /v1/streams /v1/streams/:name|:stream /v1/vocabulary
viewer GET /v1/templates /v1/templates/:id
viewer POST /v1/automaton /v1/test /v1/validate
analyst GET /v1/features /v1/explanations /v1/backtests/:id/report /v1/backtests/:id/result
analyst GET /v1/lists/:name/entries /v1/lists/:name/entries/:key /v1/risk/:key /v1/snoozes
analyst POST /v1/alerts/:id/feedback /v1/backtests /v1/decisions /v1/snoozes
analyst DELETE /v1/backtests/:id /v1/snoozes/:id
approver GET /v1/audit /v1/rules/audit /v1/sources/audit
approver POST /v1/templates/:id/rules /v1/patterns/:id/quarantine/lift /v1/patterns/:id/status /v1/revisions/:n/approve /v1/rollback /v1/rules/apply
approver PUT /v1/lists/:name /v1/lists/:name/entries/:key /v1/patterns/:id
approver PATCH /v1/lists/:name
approver DELETE /v1/lists/:name /v1/lists/:name/entries/:key /v1/patterns/:id
operator POST /v1/savepoints /v1/sinks/:name/pause /v1/sinks/:name/resume
operator POST /v1/streams/:name|:stream/pause /v1/streams/:name|:stream/resume
operator POST /v1/streams/:name|:stream/events /v1/transactions
operator PUT /v1/delivery /v1/sinks/:name /v1/streams/:name|:stream
operator DELETE /v1/sinks/:name /v1/streams/:name|:stream
peer POST /v1/decisions/questions
`;
const rows = TABLE.trim()
  .split('\n')
  .flatMap((line) => {
    const [allowed, method, ...paths] = line.split(' ') as [string, Method, ...string[]];
    return paths.map((path) => ({ allowed, method, path }));
  });

/** Every route of the service, as Fastify has them: what a decorator left out is here as well. */
function routes(): readonly string[] {
  const text = test.service.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  const found: string[] = [];
  const parents: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^((?:│ {3}| {4})*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) continue;
    const depth = (match[1] as string).length / 4;
    parents.splice(depth, parents.length, match[2] as string);
    const path = parents.slice(0, depth + 1).join('');
    for (const method of (match[3] ?? '').split(', ').filter(Boolean)) found.push(`${method} ${path}`);
  }
  return found;
}

describe('what each role may do', () => {
  it('is in the table, for every route there is', async () => {
    await started();
    const own = routes().filter((route) => / \/(v1|health|metrics)/.test(route) && !/^(HEAD|OPTIONS)/.test(route));
    expect(own.toSorted()).toEqual(rows.map(({ method, path }) => `${method} ${path}`).toSorted());
    // The rest are pages: no data is in them.
    const others = routes().filter((route) => !own.includes(route) && route.startsWith('GET'));
    expect(
      others.filter(
        (route) => !/^GET (\/|\/docs.*|\/openapi.*|\*|\/index\.html|\/icon\.svg|\/assets\/[\w.-]+)$/.test(route),
      ),
    ).toEqual([]);
  });

  it('is nothing without a credential, or with one that nobody knows', async () => {
    await started();
    for (const { allowed, method, path } of rows) {
      const [none, wrong] = [await ask(method, path), await ask(method, path, newKey())];
      const expected = allowed === '-' ? 200 : 401;
      // Health tells of a service that is not ready, too.
      const statuses = [none, wrong].map(({ statusCode }) => (statusCode === 503 ? 200 : statusCode));
      expect([method, path, ...statuses]).toEqual([method, path, expected, expected]);
      if (expected === 401)
        expect([none.json().code, none.headers['www-authenticate']]).toEqual([
          'UNAUTHENTICATED',
          expect.stringContaining('Bearer'),
        ]);
    }
  });

  it.each(ROLES)('%s: what is for the role and those before it, and nothing else', async (role) => {
    await started();
    for (const { allowed, method, path } of rows.filter(({ path: of }) => !/\/(live|events)$/.test(of))) {
      const { statusCode } = await ask(method, path.replaceAll(':n', '1'), keyOf[role]);
      const isAllowed = allowed === '-' || ROLES.indexOf(role) >= ROLES.indexOf(allowed as Role);
      expect([method, path, statusCode === 403]).toEqual([method, path, !(isAllowed && allowed !== 'peer')]);
    }
  });

  it('lets analysts publish rules where someone else must approve of them', async () => {
    await started(withKeys({ rules: { approval: true } }));
    expect((await ask('POST', '/v1/rules/apply', keyOf.analyst)).statusCode).toBe(400);
    expect((await ask('POST', '/v1/revisions/1/approve', keyOf.analyst)).statusCode).toBe(403);
    expect((await ask('POST', '/v1/rules/apply', keyOf.viewer)).statusCode).toBe(403);
  });

  it('is everything where nobody has to log in', async () => {
    await started({ http: { port: 0 } });
    expect((await ask('GET', '/v1/me')).json()).toMatchObject({ name: 'anonymous', role: 'operator', by: 'none' });
    expect((await ask('GET', '/v1/audit')).statusCode).toBe(200);
  });

  it('is for other instances what they ask each other, and nothing else', async () => {
    await started(withKeys({}, { peerSecret: 'between us' }));
    const payload = { topic: 'transactions', partition: 0, key: null, value: '' };
    expect((await ask('POST', '/v1/decisions/questions', 'between us', { payload })).json().code).toBe('NOT_HERE');
    expect((await ask('GET', '/v1/me', 'between us')).statusCode).toBe(403);
    expect((await ask('POST', '/v1/decisions/questions', keyOf.operator, { payload })).statusCode).toBe(403);
  });
});

describe('API keys', () => {
  it('come as a bearer token or in X-API-Key, and tell who asks', async () => {
    await started();
    const [one, other] = [
      await ask('GET', '/v1/me', keyOf.analyst),
      await ask('GET', '/v1/me', undefined, { headers: { 'x-api-key': keyOf.analyst } }),
    ];
    expect(one.json()).toEqual({ name: 'the-analyst', role: 'analyst', roles: ['viewer', 'analyst'], by: 'key' });
    expect(other.json()).toEqual(one.json());
  });

  it('stand in a file, too, which must hold', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stakeout-keys-'));
    const keysFile = join(folder, 'keys.yaml');
    const access = () =>
      new Access(someSettings({ access: { keysFile } }).access, { now: () => 0, onChange: () => undefined });
    expect(access).toThrow(expect.objectContaining({ code: 'ACCESS_KEYS' }));
    await writeFile(keysFile, 'ann: {role: boss, hash: 12}\n');
    expect(access).toThrow(/ann\.(role|hash): expected a map of names/);
    await writeFile(keysFile, `ann: {role: approver, hash: ${hashOfKey('secret')}}\n`);
    expect(await access().principalOf({ apiKey: 'secret' })).toMatchObject({ name: 'ann', role: 'approver' });
    expect(await access().principalOf({ authorization: 'Basic secret' })).toBe(null);
    await rm(folder, { recursive: true });
  });

  it('are read again from a file that changes; while it does not hold, those before count', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stakeout-keys-'));
    const keysFile = join(folder, 'keys.yaml');
    // As Kubernetes does it: another file takes the place of the one before.
    const write = async (text: string) => {
      await writeFile(`${keysFile}.new`, text);
      await rename(`${keysFile}.new`, keysFile);
    };
    await write(`ann: {role: approver, hash: ${hashOfKey('old')}}\n`);
    let now = 0;
    const changes: (string | null)[] = [];
    const access = new Access(someSettings({ access: { keysFile } }).access, {
      now: () => now,
      onChange: (trouble) => changes.push(trouble?.message ?? null),
    });
    const names = async () => {
      now += 1000;
      const found = [];
      for (const apiKey of ['old', 'new']) found.push((await access.principalOf({ apiKey }))?.name ?? null);
      return found;
    };
    expect(await names()).toEqual(['ann', null]);
    await write('bob: 7\n');
    expect(await names()).toEqual(['ann', null]);
    await write(`bob: {role: viewer, hash: ${hashOfKey('new')}}\n`);
    expect(await names()).toEqual([null, 'bob']);
    await rm(keysFile);
    expect(await names()).toEqual([null, 'bob']);
    expect(await names()).toEqual([null, 'bob']);
    expect(changes).toEqual([expect.stringContaining('keys.yaml'), null, expect.stringContaining('ENOENT')]);
    await rm(folder, { recursive: true });
  });
});

describe('the audit trail', () => {
  const audit = async (query = '') => (await ask('GET', `/v1/audit${query}`, keyOf.approver)).json().items;

  it('has every change with who asked for it, whatever name they gave, and who was not let', async () => {
    await started();
    const payload = { key: 'acc-1', until: '2999-01-01T00:00:00Z', reason: 'on holiday', author: 'someone else' };
    expect((await ask('POST', '/v1/snoozes', keyOf.analyst, { payload })).json().author).toBe('the-analyst');
    await ask('POST', '/v1/snoozes', keyOf.analyst, { payload: {} });
    await ask('POST', '/v1/snoozes', keyOf.viewer, { payload });
    await ask('POST', '/v1/validate', keyOf.viewer, { payload });
    await ask('POST', '/v1/snoozes', undefined, { payload });
    // Reads, with and without the body of their answer.
    await ask('GET', '/v1/patterns', keyOf.viewer);
    await ask('HEAD', '/v1/patterns', keyOf.viewer);
    await ask('HEAD', '/v1/audit', keyOf.viewer);
    test.clock.advance(1);
    await ask('PUT', '/v1/delivery', keyOf.operator, { payload: { mode: 'at-least-once' } });
    const entries = await audit();
    expect(entries.map(({ author, action, status }: Record<string, unknown>) => [author, action, status])).toEqual(
      expect.arrayContaining([
        ['the-operator', 'PUT /v1/delivery', 200],
        ['the-analyst', 'POST /v1/snoozes', 201],
        ['the-analyst', 'POST /v1/snoozes', 400],
        ['the-viewer', 'POST /v1/snoozes', 403],
      ]),
    );
    expect(entries).toHaveLength(4);
    expect(entries[0]).toMatchObject({ author: 'the-operator', role: 'operator', by: 'key', address: '127.0.0.1' });
    expect(entries.find(({ status }: { status: number }) => status === 201).detail).toBe('on holiday');
    expect(await audit('?author=the-viewer')).toHaveLength(1);
    expect(test.logLines.filter((line) => line.includes('"audit":'))).toHaveLength(4);
  });

  it('waits where its store is away, and goes on then', async () => {
    const { stores } = await withStores();
    let away = true;
    const append = stores.audit.append.bind(stores.audit);
    stores.audit.append = (entries) => (away ? Promise.reject(new Error('away')) : append(entries));
    await started(withKeys(), { stores });
    await ask('PUT', '/v1/delivery', keyOf.operator, { payload: { mode: 'at-least-once' } });
    expect(await audit()).toEqual([]);
    away = false;
    await until(async () => (await audit()).length === 1, 'the entry');
  });
});

async function withStores() {
  const { storesInMemory } = await import('../../connectors/alert-store/stores.js');
  return { stores: storesInMemory(() => 0) };
}

describe('a POST with an Idempotency-Key', () => {
  const payload = { key: 'acc-1', until: 9_000_000_000_000 };
  const snooze = (key: string, by = keyOf.analyst, sent: object = payload) =>
    ask('POST', '/v1/snoozes', by, { payload: sent, headers: { 'idempotency-key': key } });
  const count = async () => (await ask('GET', '/v1/snoozes', keyOf.analyst)).json().items.length;

  it('is done once, and answered alike', async () => {
    await started();
    const [first, again] = [await snooze('a'), await snooze('a')];
    expect([again.statusCode, again.json(), again.headers['idempotency-replayed']]).toEqual([
      201,
      first.json(),
      'true',
    ]);
    await snooze('a', keyOf.operator);
    await snooze('b');
    expect(await count()).toBe(3);
  });

  it('is refused with another body, under way, and with a key that is none', async () => {
    const { stores } = await withStores();
    await started(withKeys(), { stores });
    await snooze('a');
    expect((await snooze('a', keyOf.analyst, { ...payload, key: 'acc-2' })).json().code).toBe('IDEMPOTENCY_REUSED');
    expect((await snooze('x'.repeat(300))).statusCode).toBe(400);
    const entered = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const add = stores.alerts.addSnooze.bind(stores.alerts);
    stores.alerts.addSnooze = async (given) => {
      entered.resolve();
      await go.promise;
      return add(given);
    };
    const slow = snooze('c').then((answer) => answer);
    await entered.promise;
    expect((await snooze('c')).json().code).toBe('IDEMPOTENCY_BUSY');
    go.resolve();
    expect((await slow).statusCode).toBe(201);
  });

  it('takes events in once', async () => {
    await started();
    const sent = { payload: { id: 'a', amount: 1 }, headers: { 'idempotency-key': 'file-7' } };
    const [first, again] = [
      await ask('POST', '/v1/transactions', keyOf.operator, sent),
      await ask('POST', '/v1/transactions', keyOf.operator, sent),
    ];
    expect([again.statusCode, again.json(), again.headers['idempotency-replayed']]).toEqual([
      202,
      first.json(),
      'true',
    ]);
    expect((await test.log.offsets({ topic: 'transactions', partition: 0 })).end).toBe(1);
  });

  it('may be sent again when it failed', async () => {
    await started();
    expect((await snooze('a', keyOf.analyst, {})).statusCode).toBe(400);
    expect((await snooze('a')).statusCode).toBe(201);
  });
});

describe('personal fields', () => {
  const aPartition = {
    ...{ topic: 'transactions', partition: 0, phase: 'live' as const, position: 9, endOffset: 9, watermark: null },
    ...{ recordTime: null, maxEventTime: null, idle: false, keys: 0, runs: 0, buffered: 0 },
    memory: { hotKeys: 0, coldKeys: 0, coldBytes: 0, tableBytes: 0 },
  };
  const alert = anAlert({
    message: 'card 4000 of Ann Lee paid',
    steps: [
      {
        ...anAlert().steps[0]!,
        events: [{ ...anAlert().steps[0]!.events[0]!, fields: { holder: { name: 'Ann Lee' }, amount: 7 } }],
      },
    ],
  });

  it('are seen by those alone who may, in lists, single alerts, groups and live', async () => {
    await started(withKeys({}, { personalFields: ['accountId'] }), { personalFields: new Set(['HOLDER']) });
    await test.commitAlerts(alert);
    const list = async (role: Role) => (await ask('GET', '/v1/alerts', keyOf[role])).json().items;
    await until(async () => (await list('analyst')).length === 1, 'the alert');
    expect((await list('analyst'))[0]).toEqual({ ...alert, state: 'open' });
    const shown = (await list('viewer'))[0];
    expect(shown).toMatchObject({ message: 'card 4000 of [redacted] paid', key: '[redacted]' });
    expect(shown.steps[0].events[0].fields).toEqual({ holder: { name: '[redacted]' }, amount: 7 });
    const everywhere = await Promise.all(
      ['/v1/alerts', `/v1/alerts/${alert.id}`, '/v1/alerts/groups'].map((path) => ask('GET', path, keyOf.viewer)),
    );
    for (const { body } of everywhere) expect(body).not.toMatch(/Ann Lee|acc-1/);
    const live = await fetch(`${test.service.url()}/v1/alerts/live`, {
      headers: { authorization: `Bearer ${keyOf.viewer}`, 'last-event-id': '0:0' },
    });
    let text = '';
    const reader = live.body!.getReader();
    while (!text.includes('\n\n', text.indexOf('event: alert')) || !text.includes('event: alert'))
      text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    expect(text).toContain('[redacted]');
    expect(text).not.toMatch(/Ann Lee|acc-1/);
  });

  it('are not to be found out by searching for them', async () => {
    await started(withKeys(), { personalFields: new Set(['holder']) });
    expect((await ask('GET', '/v1/alerts?q=ann', keyOf.viewer)).statusCode).toBe(403);
    expect((await ask('GET', '/v1/alerts?q=ann', keyOf.analyst)).statusCode).toBe(200);
  });

  it('are keys of rules that were stopped, too', async () => {
    await started(withKeys(), { personalFields: new Set(['holder']) });
    const stopped = {
      id: 'bad',
      revision: 'r',
      reason: 'runs',
      detail: '',
      key: 'acc-1',
      time: 1,
      event: null,
    } as const;
    test.detector.set({ partitions: [{ ...aPartition, quarantined: [stopped] }] });
    for (const path of ['/v1/status', '/v1/lanes']) {
      expect((await ask('GET', path, keyOf.viewer)).body).toContain('"key":"[redacted]"');
      expect((await ask('GET', path, keyOf.analyst)).body).toContain('"key":"acc-1"');
    }
  });

  it('are found by those who may see them where alerts have pseudonyms, and snoozed under these', async () => {
    const pseudonyms = new Pseudonyms('s', ['holder']);
    const key = pseudonyms.of('acc-1');
    await started(withKeys(), { personalFields: new Set(['holder']), pseudonyms: () => pseudonyms });
    test.detector.ruleList = [{ id: 'offshore-drain', keyBy: { form: 'one', field: 'holder' }, pattern: {} } as never];
    await test.commitAlerts(anAlert({ key, keyField: 'holder' }));
    const found = async (of: string, role: Role) =>
      (await ask('GET', `/v1/alerts?key=${of}`, keyOf[role])).json().items;
    await until(async () => (await found(key, 'analyst')).length === 1, 'the alert');
    expect(await found('acc-1', 'analyst')).toMatchObject([{ key, state: 'open' }]);
    expect(await found('acc-1', 'viewer')).toEqual([]);
    const payload = { key: 'acc-1', until: 9_000_000_000_000 };
    expect((await ask('POST', '/v1/snoozes', keyOf.analyst, { payload })).json()).toMatchObject({ key });
    expect(await found('acc-1', 'analyst')).toMatchObject([{ state: 'snoozed' }]);
  });

  it('of the settings are never logged', async () => {
    const lines: string[] = [];
    const { createLogger } = await import('../logging/logger.js');
    const logger = createLogger({ name: 't', log: { level: 'info', format: 'json' } }, new Set(['email']), {
      write: (line) => lines.push(line),
    });
    logger.info({ event: { email: 'ann@example.org' } });
    expect(lines.join()).not.toContain('ann@example.org');
  });
});

describe('the web side', () => {
  it('has security headers on every answer, those that fail too', async () => {
    await started();
    for (const path of ['/v1/me', '/v1/none', '/health/live', '/openapi.json']) {
      const { headers } = await ask('GET', path);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['x-frame-options']).toBeDefined();
    }
    expect((await ask('GET', '/v1/me')).headers['cache-control']).toBe('no-store');
    expect((await ask('GET', '/docs')).headers['content-security-policy']).toContain("script-src 'self'");
  });

  it('answers no more than so many requests of one caller', async () => {
    await started(withKeys({ http: { port: 0, rateLimit: 3 } }));
    const statuses = [];
    for (let n = 0; n < 4; n++) statuses.push((await ask('GET', '/v1/me', keyOf.viewer)).statusCode);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await ask('GET', '/v1/me', keyOf.viewer)).json()).toMatchObject({ status: 429, code: 'TOO_MANY' });
    expect((await ask('GET', '/v1/me', keyOf.analyst)).statusCode).toBe(200);
    for (let n = 0; n < 5; n++) expect((await ask('GET', '/health/live')).statusCode).toBe(200);
  });
});
