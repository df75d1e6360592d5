import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadRules } from '../../src/rules/index.js';
import { ALERT_KEYS, RULE_KEYS } from '../../src/rules/read/parse-rule.js';
import { FEATURE_KEYS } from '../../src/rules/read/read-features.js';
import { LIMIT_KEYS } from '../../src/rules/read/read-limits.js';
import { STEP_KEYS } from '../../src/rules/read/read-steps.js';
import { AGGREGATE_KEYS, WINDOW_KEYS } from '../../src/rules/read/read-window.js';

const root = join(import.meta.dirname, '../..');
const schema = JSON.parse(readFileSync(join(root, 'schemas/pattern.schema.json'), 'utf8'));
const checker = z.fromJSONSchema(schema);

const rule = (step: object, more: object = {}) => ({
  id: 'a',
  key: 'k',
  pattern: [{ begin: 'one', ...step }],
  ...more,
});

const windowed = (window: object) => ({ id: 'a', key: 'k', window });

describe('the JSON Schema of patterns', () => {
  it('accepts every shipped pattern and example', async () => {
    const { rules } = await loadRules([join(root, 'patterns'), join(root, 'examples')]);
    expect(rules.length).toBeGreaterThanOrEqual(20);
    for (const { source } of rules) {
      const result = checker.safeParse(parse(readFileSync(source, 'utf8')));
      expect([source, result.error?.issues ?? []]).toEqual([source, []]);
    }
  });

  it('knows exactly the keys that the reader knows', () => {
    expect(Object.keys(schema.properties).sort()).toEqual([...RULE_KEYS].sort());
    expect(Object.keys(schema.properties.alert.properties).sort()).toEqual([...ALERT_KEYS].sort());
    expect(Object.keys(schema.properties.limits.properties).sort()).toEqual([...LIMIT_KEYS].sort());
    expect(Object.keys(schema.$defs.feature.properties).sort()).toEqual([...FEATURE_KEYS].sort());
    expect(Object.keys(schema.$defs.step.properties).sort()).toEqual([...STEP_KEYS].sort());
    expect(Object.keys(schema.$defs.window.properties).sort()).toEqual([...WINDOW_KEYS].sort());
    expect(Object.keys(schema.$defs.aggregate.properties).sort()).toEqual([...AGGREGATE_KEYS].sort());
  });

  it.each([
    ['an unknown key', rule({ wehre: 'amount > 1' })],
    ['a duration in words', rule({}, { within: '10 minutes' })],
    ['a severity that is none', rule({}, { alert: { severity: 'severe' } })],
    ['times of no known form', rule({ times: 'often' })],
    ['a skip to two steps', rule({}, { skip: { toFirst: 'one', toLast: 'one' } })],
    ['a feature without a window', rule({}, { features: [{ name: 'n', count: true }] })],
    ['a feature of two statistics', rule({}, { features: [{ name: 'n', count: true, sum: 'a', over: '5m' }] })],
    ['a feature of no statistic', rule({}, { features: [{ name: 'n', over: '5m' }] })],
    ['a share beyond all', rule({}, { features: [{ name: 'n', quantile: 'a', q: 2, over: '5m' }] })],
    ['a score beyond 100', rule({}, { alert: { score: 101 } })],
    ['a policy that is none', rule({}, { limits: { overflow: 'explode' } })],
    ['a pair of one', rule({}, { key: ['cardId'] })],
    ['a key of no known form', rule({}, { key: { all: ['from', 'to'] } })],
    ['a window without a form', windowed({ aggregates: [] })],
    ['a window of two forms', windowed({ tumbling: '1m', session: '1m' })],
    ['a hopping window without a pace', windowed({ hopping: '5m' })],
    ['a window beside a pattern', { ...rule({}), window: { tumbling: '1m' } }],
    ['an aggregate of no statistic', windowed({ tumbling: '1m', aggregates: [{ name: 'n' }] })],
    ['no key', { id: 'a', pattern: [{ begin: 'one' }] }],
  ])('refuses %s', (_, value) => {
    expect(checker.safeParse(value).success).toBe(false);
  });

  it.each([
    ['a range', rule({ times: '3..5', inside: 'consecutive', greedy: true })],
    ['a count', rule({}, { features: [{ name: 'n', count: true, over: '5m', where: 'amount > 1' }] })],
    ['a sum', rule({}, { features: [{ name: 'n', sum: 'amount', over: '30d' }] })],
    ['a quantile', rule({}, { features: [{ name: 'n', quantile: 'a', q: 0.9, over: '60d', lagging: '7d' }] })],
    ['a time since', rule({}, { features: [{ name: 'n', since: true, over: '1d' }] })],
    ['a score that is computed', rule({}, { alert: { score: 'amount / 10' } })],
    ['a group', { id: 'a', key: 'k', pattern: [{ begin: { group: [{ begin: 'one' }, { next: 'two' }] }, times: 2 }] }],
    ['a skip to a step', rule({}, { skip: { toFirst: 'one', onMiss: 'error' } })],
    ['a pair as key', rule({}, { key: ['cardId', 'deviceId'] })],
    ['each of two fields as key', rule({}, { key: { each: ['from', 'to'] } })],
    ['a key by stream', rule({ from: 'logins' }, { key: { by: { payments: 'a', logins: 'b' } }, from: ['a', 'b'] })],
    ['a step to accuse', rule({}, { alert: { accuses: ['one'] } })],
    ['a window', windowed({ tumbling: '1m', offset: '5s', aggregates: [{ name: 'n', count: true }], having: 'n > 1' })],
    ['a hopping window', windowed({ hopping: '5m', every: '1m', or: ['a == 1'], subtype: 'b', events: 3 })],
    ['a session', windowed({ session: '5m', max: '1h', aggregates: [{ name: 'q', quantile: 'a', q: 0.5 }] })],
    ['limits', rule({}, { limits: { runs: 5, matches: 1, events: 9, overflow: 'quarantine' } })],
    ['alternatives', rule({ or: ['a == 1', 'b == 2'] })],
  ])('accepts %s', (_, value) => {
    expect(checker.safeParse(value).error?.issues ?? []).toEqual([]);
  });
});
