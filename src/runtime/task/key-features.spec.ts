import { parseRule } from '../../rules/index.js';
import { toldName } from '../../rules/told-features.js';
import { Detection } from './detection.js';
import { keyFeatures } from './key-features.js';
import { SourceEvent } from './source-event.js';

const MINUTE = 60_000;
const ruleOf = (text: string) => parseRule(text, 'rule.yaml', [{ name: 'payments', schema: null }]).rule!;

const SPEND = `id: spend
key: user
features:
  - {name: spent, sum: amount, over: 10m}
  - {name: before, last: place, over: 60d}
  - {name: usual, median: amount, over: 60d, lagging: 5m}
pattern: [{begin: large, where: amount > 1000}]
alert: {message: "{{ spent }} {{ before }} {{ usual }}"}
`;
const THERE = `id: there
key: user
features:
  - {name: seen, count: true, over: 10m, key: place}
  - {name: users, distinct: user, over: 5m, key: place}
  - {name: own, count: true, over: 10m}
  - {name: unread, count: true, over: 30m, key: place}
pattern: [{begin: large, where: seen > 1 && own > 0}]
alert: {message: "{{ users }}"}
`;
const PLAIN = 'id: plain\nkey: user\nwithin: 10m\npattern: [{begin: a, where: amount > 5}, {followedBy: b}]\n';

function detectionAfter(...rows: readonly (readonly [minute: number, user: string, amount: number, place: string])[]) {
  const detection = new Detection(
    [ruleOf(SPEND), ruleOf(PLAIN), ruleOf(THERE)],
    { mode: 'event-time', outOfOrdernessMs: 0 },
    { onMatch: () => undefined },
    { streams: ['payments'] },
  );
  rows.forEach(([minute, user, amount, place], offset) => {
    const fields = { user, amount, place };
    const none = new Uint8Array(0);
    detection.clock.accept(new SourceEvent(minute * MINUTE, '', fields, offset, none, null, true, 'payments'));
    detection.drain();
  });
  return detection;
}

describe('features of a key now', () => {
  it('are as of the watermark, of that key alone', () => {
    const rows = [
      [1, 'ann', 10, 'DE'],
      [2, 'bob', 99, 'FR'],
      [8, 'ann', 20, 'KY'],
      [12, 'eve', 1, 'DE'],
      [14, 'eve', 1, 'DE'],
    ] as const;
    const detection = detectionAfter(...rows);
    expect(keyFeatures(detection, { pattern: 'spend', key: 'ann' })).toEqual({
      isKnown: true,
      features: { spent: 20, before: 'KY', usual: 15 },
    });
    // Asking changes nothing.
    expect(keyFeatures(detection, { pattern: 'spend', key: 'ann' })).toEqual(
      keyFeatures(detection, { pattern: 'spend', key: 'ann' }),
    );
    expect(keyFeatures(detection, { pattern: 'spend', key: 'bob' })?.features).toEqual({
      spent: 0,
      before: 'FR',
      usual: 99,
    });
  });

  it('have their events behind them, where these are asked for: the newest first, of the window of each', () => {
    const rows = [1, 8, 12, 14].map((minute, i) => [minute, 'ann', (i + 1) * 10, `P${i}`] as const);
    const asked = keyFeatures(detectionAfter(...rows), { pattern: 'spend', key: 'ann', events: 2 })!;
    expect(asked.features).toEqual({ spent: 50, before: 'P2', usual: 15 });
    const at = (minute: number, value: unknown) => ({ time: minute * MINUTE, value });
    expect(asked.events).toEqual({
      spent: [at(12, 30), at(8, 20)],
      before: [at(12, 'P2'), at(8, 'P1')],
      usual: [at(8, 20), at(1, 10)],
    });
    expect(keyFeatures(detectionAfter(...rows), { pattern: 'spend', key: 'none', events: 2 })!.events).toEqual({
      ...{ spent: [], before: [], usual: [] },
    });
  });

  it.each<[what: string, pattern: string, key: string, found: unknown]>([
    [
      'missing, of a key that never came',
      'spend',
      'none',
      { isKnown: false, features: { spent: 0, before: null, usual: null } },
    ],
    ['none, of a rule that reads none', 'plain', 'ann', { isKnown: true, features: {} }],
    ['not known here, of a rule that runs elsewhere', 'other', 'ann', null],
  ])('are %s', (_, pattern, key, found) => {
    const detection = detectionAfter([1, 'ann', 10, 'DE'], [2, 'ann', 10, 'DE']);
    expect(keyFeatures(detection, { pattern, key })).toEqual(found);
  });

  it('are of another key where that is asked, as of the watermark too', () => {
    const rows = [
      [1, 'ann', 10, 'DE'],
      [8, 'ann', 20, 'DE'],
      [9, 'bob', 30, 'FR'],
      [12, 'eve', 40, 'DE'],
      [14, 'eve', 50, 'FR'],
    ] as const;
    const named = ruleOf(THERE).features!.filter(({ feature }) => feature.of === 'place');
    const told = Object.fromEntries(named.map(({ name, feature }) => [name, toldName(feature)]));
    expect(Object.keys(told)).toEqual(['seen', 'users']);
    const detection = detectionAfter(...rows);
    const asked = (key: string, events?: number) =>
      keyFeatures(detection, { pattern: 'there', key, told, ...(events && { events }) });
    expect(asked('DE')).toEqual({ isKnown: true, features: { seen: 2, users: 1 } });
    expect(asked('FR')).toEqual({ isKnown: true, features: { seen: 1, users: 1 } });
    expect(asked('KY')).toEqual({ isKnown: false, features: { seen: 0, users: 0 } });
    expect(asked('DE', 5)!.events).toEqual({
      seen: [12, 8].map((minute) => ({ time: minute * MINUTE, value: null })),
      users: [{ time: 12 * MINUTE, value: 'eve' }],
    });
    expect(keyFeatures(detection, { pattern: 'there', key: 'ann' })?.features).toEqual({ own: 1 });
    const uncounted = toldName(named[0]!.feature).replace('place', 'shop');
    expect(keyFeatures(detection, { pattern: 'there', key: 'DE', told: { seen: uncounted } })).toBeNull();
    expect(keyFeatures(detectionAfter(), { pattern: 'there', key: 'DE', told })).toEqual({
      ...{ isKnown: false, features: {} },
    });
  });

  it('are none before the first event', () => {
    expect(keyFeatures(detectionAfter(), { pattern: 'spend', key: 'ann' })).toEqual({ isKnown: false, features: {} });
  });
});
