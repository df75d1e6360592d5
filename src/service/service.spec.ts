import { Controller, Module } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { until } from '../../test/harness/until.js';
import type { Rule } from '../rules/rule.js';
import type { Alert } from '../runtime/ports/alert.js';
import type { Log } from '../runtime/ports/log.js';
import { OnAlert } from './detection/index.js';
import { aService, type TestService } from './testing/a-service.js';
import { anAlert } from './testing/an-alert.js';

let test: TestService;
afterEach(() => test.service.stop());

async function started(...args: Parameters<typeof aService>): Promise<TestService> {
  test = await aService(...args);
  await test.service.start();
  return test;
}

const get = (url: string) => test.service.app.inject({ method: 'GET', url });
const post = (payload: string | object, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  test.service.app.inject({ method: 'POST', url: '/v1/transactions', payload, headers });

async function written(): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const batch of test.log.read({ topic: 'transactions', partition: 0 }, 0)) {
    for (const { value, headers } of batch.records) {
      const traceparent = headers?.get('traceparent');
      values.push(JSON.parse(new TextDecoder().decode(value ?? undefined)));
      if (traceparent) values.push(new TextDecoder().decode(traceparent));
    }
  }
  return values;
}

describe('POST /v1/transactions', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('takes one object, and its trace context', async () => {
    await started();
    const answer = await post({ id: 'a', amount: 1 }, { 'content-type': 'application/json', traceparent });
    expect([answer.statusCode, answer.json()]).toEqual([202, { accepted: 1, topic: 'transactions', ids: ['a'] }]);
    expect(await written()).toEqual([{ id: 'a', amount: 1 }, traceparent]);
  });

  it('takes a list, and NDJSON', async () => {
    await started();
    expect(
      (
        await post([
          { id: 'a', amount: 1 },
          { id: 'b', amount: 2 },
        ])
      ).json(),
    ).toMatchObject({ ids: ['a', 'b'] });
    const ndjson = '{"id":"c","amount":3}\n\n{"id":"d","amount":4}\n';
    const answer = await post(ndjson, { 'content-type': 'application/x-ndjson' });
    expect([answer.statusCode, answer.json().ids]).toEqual([202, ['c', 'd']]);
    expect(await written()).toHaveLength(4);
  });

  it('writes nothing of a batch with anything wrong in it, and says all that is wrong', async () => {
    await started();
    const answer = await post([{ id: 'a', amount: 1 }, { id: 1 }, { id: 'c', amount: 'x' }]);
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Content',
      status: 422,
      code: 'INVALID_INPUT',
      detail: 'Nothing was written.',
      errors: [
        { path: '[1].id', message: 'expected text, got 1' },
        { path: '[1].amount', message: 'expected a number, got undefined' },
        { path: '[2].amount', message: 'expected a number, got x' },
      ],
    });
    expect(await written()).toEqual([]);
  });

  it('refuses what is no JSON, nothing at all, another type, and too much', async () => {
    await started({}, { settings: { http: { port: 0, bodyLimit: '1KiB' } } });
    expect((await post('{"id":')).statusCode).toBe(400);
    expect((await post('{}\n{"id"', { 'content-type': 'application/x-ndjson' })).json().errors[0].path).toBe('line 2');
    expect((await post([])).statusCode).toBe(400);
    expect((await post('a,b', { 'content-type': 'application/xml' })).statusCode).toBe(415);
    const large = await post([{ id: 'x'.repeat(2000), amount: 1 }]);
    expect([large.statusCode, large.json().title]).toEqual([413, 'Content Too Large']);
    expect(await written()).toEqual([]);
  });

  it('is 503 while the log is away, and works again afterwards', async () => {
    const { log } = await aService();
    let away = true;
    const flaky: Log = Object.assign(Object.create(log), {
      producer: () => (away ? Promise.reject(new Error('no broker')) : log.producer()),
    });
    await started({ log: flaky });
    const answer = await post({ id: 'a', amount: 1 });
    expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([503, 'LOG_AWAY', '1']);
    away = false;
    expect((await post({ id: 'a', amount: 1 })).statusCode).toBe(202);
  });

  it('is 503 when the log does not answer in time, or the registry is away', async () => {
    const { log } = await aService();
    const hanging: Log = Object.assign(Object.create(log), { producer: () => new Promise(() => {}) });
    await started({ log: hanging });
    const answer = post({ id: 'a', amount: 1 });
    let status = 0;
    answer.then((result) => {
      status = result.statusCode;
    });
    await until(() => {
      test.clock.advance(1_000);
      return status !== 0;
    }, 'an answer');
    expect(status).toBe(503);
    test.ingest.prepareError = new Error('registry away');
    expect((await post({ id: 'a', amount: 1 })).statusCode).toBe(503);
  });

  it('is 503 where nothing can be sent in', async () => {
    await started({ ingest: null });
    expect((await post({ id: 'a', amount: 1 })).json().code).toBe('INGEST_OFF');
  });
});

describe('GET /v1/alerts', () => {
  it('lists the committed alerts, filtered and page by page', async () => {
    await started();
    await test.commitAlerts(
      anAlert({ id: 'a', detectedAt: 1 }),
      anAlert({ id: 'b', detectedAt: 2, severity: 'low' }),
      anAlert({ id: 'c', detectedAt: 3 }),
    );
    await until(async () => (await get('/v1/alerts')).json().items.length === 3, 'three alerts');
    const first = (await get('/v1/alerts?severity=high&limit=1')).json();
    expect(first.items.map(({ id }: Alert) => id)).toEqual(['c']);
    const second = (await get(`/v1/alerts?severity=high&limit=1&cursor=${first.nextCursor}`)).json();
    expect([second.items[0].id, second.nextCursor]).toEqual(['a', null]);
    const related = ['c', 'a'].map((id) => expect.objectContaining({ id, state: 'open' }));
    const b = { ...anAlert({ id: 'b', detectedAt: 2, severity: 'low' }), state: 'open', feedback: [], related };
    expect((await get('/v1/alerts/b')).json()).toEqual(b);
    expect((await get('/v1/alerts/x')).statusCode).toBe(404);
  });

  it('says what is wrong with a query', async () => {
    await started();
    const answer = await get('/v1/alerts?severity=terrible&limit=0&form=1');
    expect(answer.statusCode).toBe(400);
    expect(
      answer
        .json()
        .errors.map(({ path }: { path: string }) => path)
        .toSorted(),
    ).toEqual(['', 'limit', 'severity']);
  });
});

describe('GET /v1/alerts/live', () => {
  /** Reads events until `count` came; `end` goes away as a client does. */
  async function follow(path: string, headers: Record<string, string> = {}) {
    const away = new AbortController();
    const answer = await fetch(`${test.service.url()}${path}`, { headers, signal: away.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of answer.body ?? []) text += new TextDecoder().decode(chunk);
    })().catch(() => {});
    const events = () =>
      [...text.matchAll(/id: (\S+)\nevent: alert\ndata: (.*)\n\n/g)].map(([, id, data]) => ({
        id,
        alert: JSON.parse(data as string) as Alert,
      }));
    return { answer, events, text: () => text, reading, end: () => away.abort() };
  }

  it('sends alerts as they come, filtered, and goes on behind the last one seen', async () => {
    await started();
    const live = await follow('/v1/alerts/live?severity=high');
    expect(live.answer.headers.get('content-type')).toContain('text/event-stream');
    await test.commitAlerts(anAlert({ id: 'a' }), anAlert({ id: 'b', severity: 'low' }), anAlert({ id: 'c' }));
    await until(() => live.events().length === 2, 'two live alerts');
    expect(live.events().map(({ alert }) => alert.id)).toEqual(['a', 'c']);
    const lastId = live.events()[0]?.id as string;
    live.end();
    const again = await follow('/v1/alerts/live', { 'last-event-id': lastId });
    await until(() => again.events().length === 2, 'what was missed');
    expect(again.events().map(({ alert }) => alert.id)).toEqual(['b', 'c']);
    again.end();
  });

  it('shows that it is alive, and ends when the service stops', async () => {
    await started();
    const live = await follow('/v1/alerts/live');
    await until(() => {
      test.clock.advance(15_000);
      return live.text().includes(': still here');
    }, 'a sign of life');
    await test.service.stop();
    await live.reading;
  });

  it('refuses a filter that does not hold', async () => {
    await started();
    expect((await get('/v1/alerts/live?severity=x')).statusCode).toBe(400);
  });
});

describe('what is known of the service', () => {
  const rule: Rule = {
    id: 'offshore-drain',
    title: 'Drain',
    status: 'live',
    ...{ key: 'accountId', keyBy: { form: 'one', field: 'accountId' }, streams: [] },
    pattern: {
      steps: [
        { kind: 'event', name: 'large', contiguity: 'start' },
        { kind: 'group', contiguity: 'next', steps: [{ kind: 'event', name: 'cash', contiguity: 'start' }] },
      ],
      withinMs: 600_000,
    },
    alert: { severity: 'high', score: 80, message: [] },
    tags: ['drain'],
    revision: 'r1',
    source: '/patterns/offshore-drain/pattern.yaml',
    fields: ['accountId'],
  };
  const partition = {
    topic: 'transactions',
    partition: 0,
    phase: 'live' as const,
    position: 90,
    endOffset: 100,
    watermark: 999_000,
    recordTime: 998_000,
    maxEventTime: 999_500,
    idle: false,
    keys: 7,
    runs: 3,
    buffered: 2,
    memory: { hotKeys: 4, coldKeys: 3, coldBytes: 500, tableBytes: 9000 },
  };

  it('GET /v1/patterns and /patterns/:id', async () => {
    await started();
    test.detector.ruleList = [rule];
    test.detector.set({ matches: new Map([['offshore-drain', 5]]), runs: new Map([['offshore-drain', 3]]) });
    test.detector.listener.onAlert?.(anAlert({ detectedAt: 999_958 }), null);
    const described = {
      ...{ id: 'offshore-drain', title: 'Drain', description: null, status: 'live', key: 'accountId' },
      ...{
        severity: 'high',
        score: 80,
        steps: ['large', 'cash'],
        withinMs: 600_000,
        tags: ['drain'],
        revision: 'r1',
        ...{ canary: null, streams: [] },
        health: { matches: 5, runs: 3, cost: null, latencyMs: 42, quarantined: [], filling: false },
      },
    };
    expect((await get('/v1/patterns')).json()).toEqual({ items: [described], nextCursor: null });
    expect((await get('/v1/patterns/offshore-drain')).json()).toEqual({
      ...described,
      ...{ yaml: null, file: rule.source },
    });
    expect((await get('/v1/patterns/none')).statusCode).toBe(404);
  });

  it('GET /v1/status', async () => {
    await started();
    test.detector.set({ recordsIn: 90, partitions: [partition], matches: new Map([['p', 1]]) });
    expect((await get('/v1/status')).json()).toMatchObject({
      name: 'stakeout',
      log: 'embedded',
      detector: { phase: 'running', recordsIn: 90, matches: { p: 1 }, partitions: [{ ...partition, lag: 10 }] },
      sinks: [{ name: 'alert-store', state: 'running' }, { name: 'alert-store-shadow' }],
    });
  });

  it('GET /v1/risk/:key: what Redis has, nothing known, no Redis, Redis away', async () => {
    await started({
      risk: {
        readRisk: async (key) => {
          if (key === 'away') throw new Error('ECONNREFUSED');
          if (key === 'none') return null;
          const last = { lastAlertId: 'a', lastPattern: 'p', lastSeverity: 'high' as const, keyField: 'accountId' };
          return { score: 80, count: 2, lastAlertAt: 5, alerts: [], ...last };
        },
      },
    });
    expect((await get('/v1/risk/acc-1')).json()).toEqual({
      key: 'acc-1',
      score: 80,
      count: 2,
      lastAlertAt: 5,
      alerts: [],
    });
    expect((await get('/v1/risk/none')).json()).toEqual({
      key: 'none',
      score: 0,
      count: 0,
      lastAlertAt: null,
      alerts: [],
    });
    expect((await get('/v1/risk/away')).json().code).toBe('REDIS_AWAY');
    await test.service.stop();
    await started();
    expect((await get('/v1/risk/acc-1')).statusCode).toBe(404);
  });

  it('GET /health/*: live while it restores, ready when it runs and the log answers', async () => {
    await started();
    const states = async () => [
      (await get('/health/live')).statusCode,
      (await get('/health/ready')).statusCode,
      (await get('/health/started')).statusCode,
    ];
    expect(await states()).toEqual([200, 200, 200]);
    test.detector.set({ partitions: [{ ...partition, phase: 'restoring' }] });
    expect(await states()).toEqual([200, 503, 503]);
    expect((await get('/health/ready')).json().checks).toEqual([
      { name: 'detector', ok: true, detail: 'running' },
      { name: 'state', ok: false, detail: '1 of 1 partitions restoring' },
      { name: 'log', ok: true, detail: '2 topics' },
    ]);
    test.detector.set({ partitions: [partition], phase: 'degraded', trouble: 'broker away' });
    expect(await states()).toEqual([200, 503, 200]);
    test.detector.set({ phase: 'failed', trouble: 'not authorised' });
    expect(await states()).toEqual([503, 503, 503]);
    expect((await get('/health/live')).json().checks[0].detail).toBe('not authorised');
  });

  it('GET /health/ready: not while the log does not answer', async () => {
    const { log } = await aService();
    await started({ log: Object.assign(Object.create(log), { topics: () => Promise.reject(new Error('no broker')) }) });
    const answer = await get('/health/ready');
    expect(answer.statusCode).toBe(503);
    expect(answer.json().checks).toContainEqual({ name: 'log', ok: false, detail: 'no broker' });
  });

  it('GET /metrics', async () => {
    await started();
    test.detector.set({
      ...{ recordsIn: 90, late: 1, deadLettered: 2, alerts: 3 },
      matches: new Map([['offshore-drain', 5]]),
      partitions: [partition],
    });
    test.detector.listener.onBatch?.(10, 0.002);
    test.detector.listener.onCommit?.(0.01, true);
    const answer = await get('/metrics');
    expect(answer.headers['content-type']).toContain('text/plain');
    const lines = answer.body.split('\n');
    for (const line of [
      'stakeout_records_total 90',
      'stakeout_late_total 1',
      'stakeout_dead_letters_total 2',
      'stakeout_alerts_total 3',
      'stakeout_matches_total{pattern="offshore-drain"} 5',
      'stakeout_runs_alive 3',
      'stakeout_keys 7',
      'stakeout_keys_hot 4',
      'stakeout_keys_cold_bytes 500',
      'stakeout_lag_records{topic="transactions",partition="0"} 10',
      'stakeout_event_time_lag_seconds{topic="transactions",partition="0"} 1',
      'stakeout_lag_seconds{topic="transactions",partition="0"} 2',
      'stakeout_batch_seconds_count 1',
      'stakeout_commit_seconds_count{result="ok"} 1',
      'stakeout_detector_phase{phase="running"} 1',
    ]) {
      expect(lines).toContain(line);
    }
    expect(answer.body).toContain('nodejs_eventloop_lag_seconds');
  });

  it('GET /openapi.json describes every endpoint with its schemas; /docs and / are pages', async () => {
    await started();
    const document = (await get('/openapi.json')).json();
    const paths = `
      /health/live /health/ready /health/started /metrics
      /v1/alerts /v1/alerts/groups /v1/alerts/live /v1/alerts/{id} /v1/alerts/{id}/feedback
      /v1/audit /v1/automaton
      /v1/backtests /v1/backtests/{id} /v1/backtests/{id}/events /v1/backtests/{id}/report /v1/backtests/{id}/result
      /v1/decisions /v1/delivery /v1/explanations /v1/features /v1/lanes
      /v1/lists /v1/lists/{name} /v1/lists/{name}/entries /v1/lists/{name}/entries/{key} /v1/login /v1/me
      /v1/patterns /v1/patterns/{id} /v1/patterns/{id}/quarantine/lift /v1/patterns/{id}/revisions /v1/patterns/{id}/shadow /v1/patterns/{id}/status /v1/patterns/{id}/tests /v1/patterns/{id}/versions/{revision}
      /v1/revisions /v1/revisions/{n} /v1/revisions/{n}/approve /v1/risk/{key} /v1/rollback
      /v1/rules /v1/rules/apply /v1/rules/audit /v1/savepoints /v1/savepoints/{name}
      /v1/sinks /v1/sinks/{name} /v1/sinks/{name}/pause /v1/sinks/{name}/resume /v1/snoozes /v1/snoozes/{id} /v1/sources/audit /v1/status
      /v1/streams /v1/streams/{name} /v1/streams/{name}/pause /v1/streams/{name}/resume /v1/streams/{stream}/events
      /v1/templates /v1/templates/{id} /v1/templates/{id}/rules
      /v1/test /v1/transactions /v1/validate /v1/vocabulary
    `;
    expect(Object.keys(document.paths).toSorted()).toEqual(paths.trim().split(/\s+/));
    expect(document.components.schemas.AlertDto.required).toContain('detectedAt');
    expect((await get('/docs')).body).toContain('swagger');
    const page = await get('/');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.body).toContain('<title>stakeout</title>');
  });

  it('answers an unknown path, and what it did not foresee, with a problem', async () => {
    await started();
    expect((await get('/none')).json()).toMatchObject({ status: 404, title: 'Not Found' });
    test.detector.status = () => {
      throw new Error('secret detail');
    };
    const answer = await get('/v1/status');
    expect([answer.statusCode, answer.json().code]).toEqual([500, 'INTERNAL']);
    expect(answer.body).not.toContain('secret detail');
    expect(test.logLines.join()).toContain('secret detail');
  });
});

const handled: string[] = [];

@Controller()
class OwnHandlers {
  @OnAlert({ severity: 'high' })
  high(@Payload() alert: Alert): void {
    handled.push(alert.id);
  }
}

@Module({ controllers: [OwnHandlers] })
class OwnModule {}

describe('life of the service', () => {
  it('hands alerts to modules of the application', async () => {
    await started({}, { modules: [OwnModule] });
    test.detector.listener.onAlert?.(anAlert({ id: 'h' }), null);
    test.detector.listener.onAlert?.(anAlert({ id: 'l', severity: 'low' }), null);
    await until(() => handled.length > 0, 'the handler');
    expect(handled).toEqual(['h']);
  });

  it('runs sinks on the committed alerts, and shows them', async () => {
    const ids: string[] = [];
    const sink = {
      name: 'redis',
      write: async (alerts: readonly Alert[]) => {
        ids.push(...alerts.map(({ id }) => id));
      },
      close: async () => {},
    };
    await started({ sinks: [sink] });
    await test.commitAlerts(anAlert({ id: 'a' }));
    await until(() => ids.length === 1, 'the sink');
    await until(async () => {
      test.clock.advance(200);
      return (await test.log.committed('stakeout-redis')).get('alerts-0') === 1;
    }, 'the commit of the sink');
    expect((await get('/v1/status')).json().sinks).toContainEqual({
      ...{ name: 'redis', state: 'running', trouble: null, written: 1, deadLettered: 0, lag: 0 },
    });
    expect((await get('/metrics')).body).toContain('stakeout_sink_lag_records{sink="redis"} 0');
  });

  it('stops everything, once, in order', async () => {
    const order: string[] = [];
    await started({
      background: [
        {
          name: 'demo',
          start: async () => void order.push('demo starts'),
          stop: async () => void order.push('demo stops'),
        },
      ],
      close: async () => void order.push('closed'),
    });
    const { detector } = test;
    const stop = detector.stop.bind(detector);
    detector.stop = async () => {
      order.push('detector stops');
      await stop();
    };
    await Promise.all([test.service.stop(), test.service.stop()]);
    expect(order).toEqual(['demo starts', 'demo stops', 'detector stops', 'closed']);
  });

  it('does not start without a detector, and leaves nothing behind', async () => {
    test = await aService();
    test.detector.startError = new Error('STATE_LOCKED');
    await expect(test.service.start()).rejects.toThrow('STATE_LOCKED');
    expect(test.closed()).toBe(true);
  });

  it('never logs a personal field or a card number that comes with a bad record', async () => {
    await started({ personalFields: new Set(['ip']) });
    const detail = 'expected a number, got "4111111111111111"';
    test.detector.listener.onDeadLetter?.({ topic: 'transactions', partition: 0 }, 5, 'malformed', detail);
    const text = test.logLines.join();
    expect(text).toContain('dead letters');
    expect(text).not.toContain('4111111111111111');
  });
});
