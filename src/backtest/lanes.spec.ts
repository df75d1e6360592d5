import { dice } from '../runtime/testing/dice.js';
import { resultOf } from './result.js';
import { LARGE, PAIR, removeFiles, tried } from './testing/kit.js';

afterAll(removeFiles);

/** Payments of ten accounts over a month, and which of them are fraud. */
function history(seed: number) {
  const roll = dice(seed);
  const rows = Array.from({ length: 400 }, (_, i) => {
    const amount = [1, 3, 50, 150, 250][roll(5)]!;
    return `${'ABCDEFGHIJ'[roll(10)]}${amount}@${(i / 13).toFixed(3)}`;
  });
  const labels = rows.flatMap((_, i) => (roll(9) === 0 ? [{ id: `p${i}`, kind: 'ab'[roll(2)] }] : []));
  return { rows: rows.join(' '), labels };
}

const USUAL =
  'id: usual\nkey: account\nfeatures:\n  - {name: usual, avg: amount, over: 5d}\npattern:\n  - begin: one\n    where: amount > 2 * usual\n';

describe('lanes of a back-test', () => {
  it.each([1, 2, 3])('find what one lane alone finds (seed %i)', async (seed) => {
    const section = 'from: 1970-01-05\namount: amount\nlabels.scenario: kind';
    const of = { ...history(seed), section, rules: [LARGE, PAIR, USUAL], baseline: [LARGE] };
    const alone = await tried(of);
    expect(alone.done.run.alerts).toBeGreaterThan(50);
    const { seconds: _, eventsPerSecond: __, ...expected } = resultOf(alone);
    for (const lanes of [2, 4]) {
      const shared = await tried({ ...of, lanes });
      expect(resultOf(shared)).toMatchObject(expected);
      expect(shared.done.findings.samples).toEqual(alone.done.findings.samples);
    }
  });
});
