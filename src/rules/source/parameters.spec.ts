import { parseRule } from '../read/parse-rule.js';
import { fillIn, parametersOf } from './parameters.js';

/** A parameter as it is written: spelled so that it is not taken for a template. */
const p = (inner: string): string => `$${'{'}${inner}}`;

describe('parameters of rules', () => {
  it.each([
    [`amount > ${p('amount:10000')}`, {}, 'amount > 10000'],
    [`amount > ${p('amount:10000')}`, { amount: '5' }, 'amount > 5'],
    [`amount > ${p('amount')}`, { amount: '5' }, 'amount > 5'],
    [`within: ${p('window:1h30m')} # ${p('window:2h')}`, {}, 'within: 1h30m # 2h'],
    [`country in [${p("list:'KY', 'VG'")}]`, {}, "country in ['KY', 'VG']"],
    [`text: ${p('empty:')}!`, {}, 'text: !'],
    ['costs $5 and {x} and {{ key }}', {}, 'costs $5 and {x} and {{ key }}'],
  ])('%s with %j', (text, values, expected) => {
    expect(fillIn(text, new Map(Object.entries(values)))).toEqual({ text: expected, missing: [] });
  });

  it('are found with their defaults', () => {
    expect([...parametersOf(`${p('a')} ${p('b:1')} ${p('a:2')} ${p('b:3')}`)]).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
  });

  it('must have a value or a default', () => {
    const text = `id: a\nkey: k\npattern:\n  - begin: one\n    where: amount > ${p('least')}\n`;
    const { rule, diagnostics } = parseRule(text, 'rule.yaml', null);
    expect(rule).toBeNull();
    expect(diagnostics[0]).toMatchObject({
      ...{ code: 'parameter-without-value', line: 5, column: 21, length: 8 },
      message: 'The parameter least has no value.',
      hint: `Write ${p('least:VALUE')} with the value that counts where none is given.`,
    });
  });

  it('change the revision as if the values were written out', () => {
    const text = (amount: string) => `id: a\nkey: k\npattern:\n  - begin: one\n    where: amount > ${amount}\n`;
    const plain = parseRule(text('7'), 'rule.yaml', null).rule!;
    const parameters = new Map([['least', '7']]);
    const filled = parseRule(text(`${p('least:5')}`), 'rule.yaml', null, { parameters }).rule!;
    expect(filled.revision).toBe(plain.revision);
  });
});
