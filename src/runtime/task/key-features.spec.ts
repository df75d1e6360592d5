import { parseRule } from '../../rules/index.js';
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
const PLAIN = 'id: plain\nkey: user\nwithin: 10m\npattern: [{begin: a, where: amount > 5}, {followedBy: b}]\n';

function detectionAfter(...rows: readonly (readonly [minute: number, user: string, amount: number, place: string])[]) {
  const detection = new Detection(
    [ruleOf(SPEND), ruleOf(PLAIN)],
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
    expect(keyFeatures(detection, 'spend', 'ann')).toEqual({
      isKnown: true,
      features: { spent: 20, before: 'KY', usual: 15 },
    });
    // Asking changes nothing.
    expect(keyFeatures(detection, 'spend', 'ann')).toEqual(keyFeatures(detection, 'spend', 'ann'));
    expect(keyFeatures(detection, 'spend', 'bob')?.features).toEqual({ spent: 0, before: 'FR', usual: 99 });
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
    expect(keyFeatures(detection, pattern, key)).toEqual(found);
  });

  it('are none before the first event', () => {
    expect(keyFeatures(detectionAfter(), 'spend', 'ann')).toEqual({ isKnown: false, features: {} });
  });
});
