import { parseRule } from './parse-rule.js';

const STEPS = 'pattern: [{begin: a}, {followedBy: b}]';

const read = (body: string) => parseRule(`id: rule\nkey: k\nwithin: 1h\n${body}\n`, 'rule.yaml', []);

describe('nearMisses', () => {
  it.each([
    [`nearMisses: true\n${STEPS}`, true],
    [`nearMisses: false\n${STEPS}`, undefined],
    [STEPS, undefined],
  ])('%j', (body, nearMisses) => {
    expect(read(body).rule?.pattern.nearMisses).toBe(nearMisses);
  });

  it('is of the meaning of a rule: another revision', () => {
    expect(read(`nearMisses: true\n${STEPS}`).rule?.revision).not.toBe(read(STEPS).rule?.revision);
    expect(read(`nearMisses: false\n${STEPS}`).rule?.revision).toBe(read(STEPS).rule?.revision);
  });

  it.each([
    ['nearMisses: true\npattern: [{begin: a}, {followedByAny: b}]', '4:13 near-misses-of-any'],
    [
      'nearMisses: true\npattern: [{begin: a}, {followedBy: b, times: 2, inside: combinations}]',
      '4:13 near-misses-of-any',
    ],
    [`nearMisses: perhaps\n${STEPS}`, '4:13 wrong-form'],
  ])('is refused: %j', (body, expected) => {
    const errors = read(body).diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([expected]);
  });
});
