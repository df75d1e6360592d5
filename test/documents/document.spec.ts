import { blocksOf, missingIn } from './kit/document.js';

describe('blocks of a document', () => {
  it('are those that are marked, in order, with their lines', () => {
    const document = [
      '# T',
      '```sh',
      'shown only',
      '```',
      '```sh run',
      'a',
      'b',
      '```',
      '```yaml file=x/y.yaml',
      'k: v',
      '```',
      '```text expect',
      'ok',
      '```',
    ];
    expect(blocksOf(document.join('\n'))).toEqual([
      { kind: 'run', name: '', text: 'a\nb', line: 6 },
      { kind: 'file', name: 'x/y.yaml', text: 'k: v', line: 10 },
      { kind: 'expect', name: '', text: 'ok', line: 13 },
    ]);
  });

  it.each([
    ['```sh run\na', 'line 1: the block never ends'],
    ['\n```sh runn\na\n```', 'line 2: "runn" is no mark'],
  ])('are refused where they are wrong', (document, error) => expect(() => blocksOf(document)).toThrow(error));
});

it.each([
  ['one\ntwo 2 three', 'two … three', null],
  ['one\ntwo', 'one\nthree', 'three'],
  ['a.b', 'a+b', 'a+b'],
  ['  padded {"x":1}', '{"x":1}', null],
])('in %j, what is missing of %j is %j', (output, expected, missing) =>
  expect(missingIn(output, expected)).toBe(missing),
);
