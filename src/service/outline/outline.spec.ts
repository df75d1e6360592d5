import { payments } from '../../rules/testkit/payments.js';
import { aService, type TestService } from '../testing/a-service.js';
import type { Outline } from './outline.js';
import { ruleReading } from './rule-reading.js';

let test: TestService;
afterEach(() => test.service.stop());

const streams = [{ name: 'payments', schema: payments }];

async function started(known = true): Promise<void> {
  test = await aService(
    known
      ? {
          reading: ruleReading(
            () => streams,
            () => new Map([['sanctioned', 'set']]),
            'patterns',
          ),
        }
      : {},
  );
  await test.service.start();
}

async function outline(text: string): Promise<Outline> {
  const answer = await test.service.app.inject({ method: 'POST', url: '/v1/automaton', payload: { text } });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

const drain = `
id: drain
key: accountId
within: 10m
features:
  - {name: usual, avg: amount, over: 30d}
pattern:
  - begin: large
    where: amount > 10000.0 && amount > 3 * usual
  - notFollowedBy: back
    where: amount < 0.0
  - followedBy: offshore
    where: country == 'OFFSHORE'
    times: 2..3
`;

describe('POST /v1/automaton', () => {
  it('tells the steps with their conditions as they are written, and the fields that they read', async () => {
    await started();
    const { rule, diagnostics } = await outline(drain);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(rule?.steps).toEqual([
      expect.objectContaining({
        ...{ name: 'large', contiguity: 'start', times: null, fields: ['amount'] },
        where: 'amount > 10000 && amount > 3 * usual',
      }),
      expect.objectContaining({ name: 'back', contiguity: 'notFollowedBy' }),
      expect.objectContaining({ name: 'offshore', where: "country == 'OFFSHORE'", times: '2..3', fields: ['country'] }),
    ]);
  });

  it('has the states that can be reached, and transitions that can hold', async () => {
    await started();
    const { automaton } = await outline(drain);
    const { states, transitions, start, windowMs } = automaton!;
    expect([states[start]!.step, windowMs]).toEqual(['large', 600_000]);
    expect(new Set(states.map(({ type }) => type))).toEqual(new Set(['normal', 'stop', 'final']));
    expect(transitions).toContainEqual({
      ...{ from: start, action: 'take', when: 'amount > 10000 && amount > 3 * usual' },
      to: expect.any(Number),
    });
    const reached = new Set([start, ...transitions.map(({ to }) => to)]);
    expect(reached.size).toBe(states.length);
    expect(transitions.every(({ from, to }) => states[from] !== undefined && states[to] !== undefined)).toBe(true);
  });

  it('answers with what is wrong, where the text does not hold', async () => {
    await started();
    const { rule, automaton, diagnostics } = await outline(drain.replace('country ==', 'contry =='));
    expect([rule, automaton]).toEqual([null, null]);
    expect(diagnostics).toEqual([
      expect.objectContaining({ severity: 'error', code: 'unknown-field', line: 13, column: 12 }),
    ]);
  });

  it.each([[{}], [{ text: 5 }], [{ text: '', file: 5 }]])('refuses %j', async (payload) => {
    await started();
    const answer = await test.service.app.inject({ method: 'POST', url: '/v1/automaton', payload });
    expect([answer.statusCode, answer.json().errors[0].path]).toEqual([400, 'text']);
  });
});

describe('GET /v1/vocabulary', () => {
  it('tells what rules may name', async () => {
    await started();
    const answer = await test.service.app.inject({ method: 'GET', url: '/v1/vocabulary' });
    expect(answer.json()).toMatchObject({
      streams: [{ name: 'payments', fields: expect.arrayContaining([expect.objectContaining({ name: 'amount' })]) }],
      lists: [{ name: 'sanctioned', kind: 'set' }],
      functions: expect.arrayContaining(['hour', 'distanceKm']),
    });
  });

  it('is not there where it is not known', async () => {
    await started(false);
    expect((await test.service.app.inject({ method: 'GET', url: '/v1/vocabulary' })).statusCode).toBe(404);
  });
});

describe('tests beside a rule', () => {
  const reading = ruleReading(
    () => streams,
    () => new Map(),
    'patterns',
  );

  it('are read from the folder of patterns alone', async () => {
    expect(await reading.testsBeside('patterns/card-testing/pattern.yaml')).toContain('tests:');
    expect(await reading.testsBeside('patterns/none/pattern.yaml')).toBeNull();
    expect(await reading.testsBeside('patterns/../examples/cards/patterns/burst/pattern.yaml')).toBeNull();
    expect(await reading.testsBeside('card-testing/pattern.yaml')).toBeNull();
  });
});
