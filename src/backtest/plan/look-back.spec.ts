import { parseRule } from '../../rules/read/parse-rule.js';
import { lookBackMs } from './look-back.js';

const ONE = '  - begin: a\n    where: amount > 5\n';
const TWO = `${ONE}  - followedBy: b\n    where: amount < 5\n`;
const usual = 'features:\n  - {name: usual, avg: amount, over: 30d, lagging: 1d}\n';
const reading = ONE.replace('> 5', '> usual');
const DAY = 86_400_000;

describe('how far rules look back', () => {
  it.each<[what: string, text: string, days: number]>([
    ['one event', `pattern:\n${ONE}`, 0],
    ['one event that skips', `skip: pastLastEvent\npattern:\n${ONE}`, 0],
    ['one event and a window of a feature', `${usual}pattern:\n${reading}`, 31],
    ['a match', `within: 2d\npattern:\n${TWO}`, 2],
    ['a match after the window of a feature', `${usual}within: 2d\npattern:\n${TWO.replace('> 5', '> usual')}`, 33],
    ['a match that may last for ever', `pattern:\n${TWO}`, Number.POSITIVE_INFINITY],
    ['a match that skips others', `within: 2d\nskip: pastLastEvent\npattern:\n${TWO}`, Number.POSITIVE_INFINITY],
  ])('%s', (_, text, days) => {
    const { rule, diagnostics } = parseRule(`id: r\nkey: account\n${text}`, 'r.yaml', null);
    if (rule === null) throw new Error(JSON.stringify(diagnostics));
    expect(lookBackMs([rule])).toBe(days * DAY);
  });

  it('is that of the rule that looks back the farthest; 0 without rules', () => {
    expect(lookBackMs([])).toBe(0);
  });
});
