import { placeIn } from './yaml-place.js';

/** `‸` is where one writes. */
function at(text: string) {
  const offset = text.indexOf('‸');
  const { path, at, word, siblings } = placeIn(text.replace('‸', ''), offset);
  return { path: path.join('/'), at, word, siblings };
}

const rule = (rest: string) => `id: a\nwithin: 10m\n${rest}`;

describe('the place in a YAML text', () => {
  it.each([
    ['a key at the top', rule('sta‸'), { path: '', at: 'key', word: 'sta', siblings: ['within', 'id'] }],
    ['an empty line', rule('‸\ntitle: x'), { path: '', at: 'key', word: '', siblings: ['within', 'id', 'title'] }],
    ['a value', rule('status: li‸'), { path: 'status', at: 'value', word: 'li' }],
    ['a key of a map', rule('alert:\n  severity: high\n  sc‸'), { path: 'alert', at: 'key', siblings: ['severity'] }],
    ['a value in it', rule('alert:\n  severity: ‸'), { path: 'alert/severity', at: 'value', word: '' }],
    ['the first key of an item', rule('pattern:\n  - be‸'), { path: 'pattern/[]', at: 'key', siblings: [] }],
    ['another', rule('pattern:\n  - begin: a\n    wh‸'), { path: 'pattern/[]', at: 'key', siblings: ['begin'] }],
    [
      'of a later item',
      rule('pattern:\n  - begin: a\n    where: x > 1\n  - next: b\n    wh‸'),
      { path: 'pattern/[]', siblings: ['next'] },
    ],
    [
      'a condition',
      rule('pattern:\n  - begin: a\n    where: amount > 5 && cou‸'),
      { path: 'pattern/[]/where', word: 'cou' },
    ],
    [
      'a condition of lines',
      rule('pattern:\n  - begin: a\n    where: |\n      amo‸'),
      { path: 'pattern/[]/where', at: 'value' },
    ],
    ['a field of a step', rule('pattern:\n  - next: b\n    where: large.am‸'), { word: 'large.am' }],
    ['items without indentation', rule('pattern:\n- begin: a\n- ne‸'), { path: 'pattern/[]', at: 'key' }],
    [
      'a group',
      rule('pattern:\n  - begin:\n      group:\n        - begin: a\n          wh‸'),
      { path: 'pattern/[]/begin/group/[]', at: 'key' },
    ],
    ['back at the top', rule('pattern:\n  - begin: a\nal‸'), { path: '', at: 'key' }],
  ])('is found: %s', (_, text, expected) => {
    expect(at(text)).toMatchObject(expected);
  });
});
