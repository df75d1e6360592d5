import { gridOf, parseSweep } from './sweep.js';

describe('a sweep', () => {
  it.each([
    ['amount=5000..20000:4', 'amount', ['5000', '10000', '15000', '20000']],
    ['share=0.1..0.3:3', 'share', ['0.1', '0.2', '0.3']],
    ['n=3..1:3', 'n', ['3', '2', '1']],
    ['window=1h, 2h', 'window', ['1h', '2h']],
    ['n=1..1:5', 'n', ['1']],
  ])('%s', (text, name, values) => {
    expect(parseSweep(text)).toEqual({ name, values });
  });

  it.each(['amount', 'amount=', '=5', 'a=1..2', 'a=1..2:1', 'a=1..x:3', 'a=1,,2'])('refuses %s', (text) => {
    expect(() => parseSweep(text)).toThrow('NAME=FROM..TO:COUNT');
  });

  it('tries every combination', () => {
    const points = gridOf([parseSweep('a=1,2'), parseSweep('b=x,y')]).map((point) => Object.fromEntries(point));
    expect(points).toEqual([
      { a: '1', b: 'x' },
      { a: '1', b: 'y' },
      { a: '2', b: 'x' },
      { a: '2', b: 'y' },
    ]);
    expect(() => gridOf([parseSweep('a=1..100:100'), parseSweep('b=1..11:11')])).toThrow('1100 points');
  });
});
