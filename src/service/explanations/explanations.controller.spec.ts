import { until } from '../../../test/harness/until.js';
import type { Rule } from '../../rules/rule.js';
import type { Explanation } from '../../runtime/explain/explanation.js';
import { aService } from '../testing/a-service.js';
import { anAlert } from '../testing/an-alert.js';
import { type ExplanationQuery, UnknownPatternError } from './explain.js';
import { oneByOne } from './one-by-one.js';

async function answered(query: string, explain?: (asked: ExplanationQuery) => Promise<Explanation>) {
  const { service } = await aService(explain === undefined ? {} : { explain });
  await service.start();
  const { statusCode, body, headers } = await service.app.inject({ url: `/v1/explanations${query}` });
  await service.stop();
  return { status: statusCode, type: headers['content-type'], body: JSON.parse(body) as Record<string, unknown> };
}

const echo = async (asked: ExplanationQuery): Promise<Explanation> => ({
  ...asked,
  ...{ title: 'P', revision: 'r', status: 'live', keyField: 'accountId', from: null, fired: false, summary: 'because' },
  ...{ alerts: [], events: 0, runsSeen: 0, runs: [], begins: [], windows: [], notes: [] },
});

describe('GET /v1/explanations', () => {
  it.each([
    ['2026-01-05T10:00:00Z', Date.UTC(2026, 0, 5, 10)],
    ['1767607200000', 1_767_607_200_000],
  ])('asks for a pattern and a key at %s', async (at, ms) => {
    const { status, body } = await answered(`?key=A%2F1&pattern=p&at=${at}`, echo);
    expect([status, body]).toMatchObject([200, { key: 'A/1', pattern: 'p', at: ms, summary: 'because' }]);
  });

  it.each([
    ['?key=A&pattern=p', ['at']],
    ['?pattern=p&at=soon', ['key', 'at']],
    ['', ['key', 'pattern', 'at']],
  ])('tells what is wrong with %j', async (query, paths) => {
    const { status, type, body } = await answered(query, echo);
    expect([status, type]).toEqual([400, expect.stringContaining('application/problem+json')]);
    expect((body.errors as { path: string }[]).map(({ path }) => path)).toEqual(paths);
  });

  it('asks for what an alert is about, by its id, also where the alert has a pseudonym', async () => {
    const pseudonym = `psn_${'x'.repeat(22)}`;
    const plain = anAlert({ id: 'plain', key: 'A/1' });
    const hidden = anAlert({ id: 'hidden', key: pseudonym });
    const { service, detector, commitAlerts } = await aService({
      explain: echo,
      keyOf: async (alert, rule) => (alert.id === 'hidden' && rule.id === alert.patternId ? 'A/2' : null),
    });
    detector.ruleList = [{ id: plain.patternId } as Rule];
    await service.start();
    await commitAlerts(plain, hidden);
    const asked = async (id: string) => {
      const answer = await service.app.inject({ url: `/v1/explanations?alert=${id}` });
      return { status: answer.statusCode, key: answer.json().key, pattern: answer.json().pattern };
    };
    await until(async () => (await asked('hidden')).status === 200, 'the alerts to be known');
    expect(await asked('plain')).toEqual({ status: 200, key: 'A/1', pattern: plain.patternId });
    expect(await asked('hidden')).toEqual({ status: 200, key: 'A/2', pattern: plain.patternId });
    expect((await asked('none')).status).toBe(404);
    detector.ruleList = [];
    expect((await asked('hidden')).status).toBe(404);
    await service.stop();
  });

  it('does not know every pattern', async () => {
    const unknown = async (): Promise<never> => {
      throw new UnknownPatternError('No rule p runs. Did you mean q?');
    };
    expect(await answered('?key=A&pattern=p&at=1', unknown)).toMatchObject({
      status: 404,
      body: { detail: 'No rule p runs. Did you mean q?' },
    });
  });

  it('is unavailable while the log is', async () => {
    const away = async (): Promise<never> => {
      throw Object.assign(new Error('no broker answers'), { code: 'KAFKA_UNREACHABLE' });
    };
    expect(await answered('?key=A&pattern=p&at=1', away)).toMatchObject({ status: 503 });
  });
});

describe('calls one by one', () => {
  it('begin when the one before has ended, also if it failed', async () => {
    const begun: number[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const act = oneByOne(async (n: number) => {
      begun.push(n);
      await gates[n]!.promise;
      return n;
    });
    const [first, second] = [act(0), act(1)];
    const failed = expect(first).rejects.toThrow('no');
    await Promise.resolve();
    await Promise.resolve();
    expect(begun).toEqual([0]);
    gates[0]!.reject(new Error('no'));
    gates[1]!.resolve();
    await failed;
    expect([await second, begun]).toEqual([1, [0, 1]]);
  });
});
