import { parseRule } from '../read/parse-rule.js';
import { payments } from '../testkit/payments.js';
import { fillTemplate, schemaOfParameters, type Template, templateOf } from './template.js';

/** A parameter as it is written: spelled so that it is not taken for a template of the language. */
const p = (inner: string): string => `$${'{'}${inner}}`;

const TEXT = `# a comment
id: large
title: Large
status: live
key: accountId
parameters:
  # what counts as large
  amount:
    type: number
    title: Amount
    default: 1000
    minimum: 1
    maximum: 50000

  kinds: {type: texts, choices: [Payment, Transfer], default: [Payment]}
  window: {type: duration, minimum: 1m, maximum: 1d}
  field: {type: field, default: amount, description: What is compared.}
within: ${p('window')}
pattern:
  - begin: large
    where: type in [${p('kinds')}] && ${p('field')} > ${p('amount')}
  - followedBy: next
    where: country == '${p('place:DE')}' || ${p('more:amount > 7')}
`;

function template(text = TEXT): Template {
  return templateOf({ file: 'large/pattern.yaml', text }, { id: 'large', title: 'Large' })!;
}

const filled = (values: Record<string, unknown>, more: object = {}) =>
  fillTemplate(template(), { id: 'new-one', status: 'draft', values, ...more });

const problems = (values: Record<string, unknown>, more: object = {}): readonly string[] => {
  const result = filled(values, more);
  return 'problems' in result ? result.problems.map(({ path, message }) => `${path} ${message}`) : [];
};

describe('a template', () => {
  it('is filled with values, and is a rule of its own then', () => {
    const values = { window: '10m', amount: 2500.5, kinds: ['Payment', 'Transfer'], place: 'FR' };
    const result = filled(values, { title: 'It: "large"' });
    if ('problems' in result) throw new Error(JSON.stringify(result.problems));
    expect(
      result.text,
    ).toBe(`# From the template large: amount 2500.5, kinds 'Payment', 'Transfer', window 10m, field amount, place FR, more amount > 7
# a comment
id: new-one
title: "It: \\"large\\""
status: draft
key: accountId
within: 10m
pattern:
  - begin: large
    where: type in ['Payment', 'Transfer'] && amount > 2500.5
  - followedBy: next
    where: country == 'FR' || amount > 7
`);
    const { rule, diagnostics } = parseRule(result.text, 'new-one/pattern.yaml', payments);
    expect(diagnostics).toEqual([]);
    expect(rule).toMatchObject({ id: 'new-one', title: 'It: "large"', status: 'draft' });
  });

  it('takes texts for all values, as commands give them', () => {
    expect(filled({ window: '10m', amount: '7', kinds: 'Payment, Transfer' })).toMatchObject({
      text: expect.stringContaining("type in ['Payment', 'Transfer'] && amount > 7\n"),
    });
  });

  it('tells all that is wrong with values at once', () => {
    const values = { amount: 0, kinds: ['Login'], field: 'a b', place: "x' || true", other: 1 };
    expect(problems(values, { id: 'Not An Id' })).toEqual([
      'id must be small letters, digits and single hyphens, at most 64',
      'values.other large has no such parameter',
      'values.amount must be at least 1',
      'values.kinds must be one of Payment, Transfer',
      'values.window is missing',
      'values.field must be the name of a field',
    ]);
  });

  it.each<[name: string, value: unknown, problem: string]>([
    ['amount', 'many', 'must be a number'],
    ['amount', 50001, 'must be at most 50000'],
    ['window', '10', 'must be a duration such as 500ms, 10s, 5m, 1h30m or 7d'],
    ['window', '2d', 'must be at most 1d'],
    ['kinds', [], 'must be a list of 1 to 1000 texts'],
    ['kinds', ["it's"], 'must have no quotes, backslashes, braces, #, $ or line breaks'],
    ['more', 'a\nb', 'must be part of a condition, in one line'],
  ])('refuses %s %j', (name, value, problem) => {
    expect(problems({ window: '10m', [name]: value })).toEqual([`values.${name} ${problem}`]);
  });

  it('has a JSON Schema, of which a form can be drawn', () => {
    expect(schemaOfParameters(template(), ['amount', 'country'])).toEqual({
      ...{ $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Large', type: 'object' },
      properties: {
        amount: { type: 'number', title: 'Amount', default: 1000, minimum: 1, maximum: 50000 },
        kinds: {
          ...{ type: 'array', items: { type: 'string', enum: ['Payment', 'Transfer'] }, minItems: 1 },
          ...{ title: 'kinds', default: ['Payment'] },
        },
        window: {
          ...{ type: 'string', format: 'stakeout-duration', pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$' },
          ...{ title: 'window', 'x-minimum-ms': 60_000, 'x-maximum-ms': 86_400_000 },
        },
        field: {
          ...{ type: 'string', enum: ['amount', 'country'], title: 'field' },
          ...{ description: 'What is compared.', default: 'amount' },
        },
        place: { type: 'string', format: 'stakeout-expression', title: 'place', default: 'DE' },
        more: { type: 'string', format: 'stakeout-expression', title: 'more', default: 'amount > 7' },
      },
      required: ['window'],
      additionalProperties: false,
    });
  });
});

describe('the section parameters of a rule', () => {
  const rule = (parameters: string, where = 'amount > 1') =>
    parseRule(
      `id: a\nkey: accountId\nparameters:\n${parameters}pattern:\n  - begin: one\n    where: ${where}\n`,
      'a/pattern.yaml',
      payments,
    );

  it('gives the defaults with which the rule runs', () => {
    const { rule: read, diagnostics } = rule('  least: {type: number, default: 7}\n', `amount > ${p('least')}`);
    const plain = parseRule(
      'id: a\nkey: accountId\npattern:\n  - begin: one\n    where: amount > 7\n',
      'a/pattern.yaml',
      payments,
    );
    expect([diagnostics, read!.revision]).toEqual([[], plain.rule!.revision]);
  });

  it.each<[what: string, parameters: string, where: string, told: string]>([
    [
      'no type',
      '  least: {default: 7}\n',
      `amount > ${p('least')}`,
      '4:10 missing-key The parameter least has no type.',
    ],
    [
      'a type that is none',
      '  least: {type: nubmer}\n',
      `amount > ${p('least:1')}`,
      '4:17 bad-value type cannot be nubmer.',
    ],
    [
      'an unknown key',
      '  least: {type: number, min: 1}\n',
      `amount > ${p('least:1')}`,
      '4:25 unknown-key The parameter least has no key min.',
    ],
    [
      'a default beyond its bounds',
      '  least: {type: number, default: 7, maximum: 5}\n',
      `amount > ${p('least')}`,
      '4:34 bad-value The default must be at most 5.',
    ],
    [
      'two defaults',
      '  least: {type: number, default: 7}\n',
      `amount > ${p('least:8')}`,
      '4:34 default-twice The default is 8 where the parameter stands.',
    ],
    [
      'bounds of a text',
      '  least: {type: text, minimum: 5}\n',
      `country == '${p('least:a')}'`,
      '4:23 bad-value A parameter of type text has no minimum.',
    ],
    [
      'a name that is none',
      '  a-b: {type: text}\n',
      'amount > 1',
      '4:3 bad-parameter-name A parameter cannot be called a-b.',
    ],
    [
      'no use of it',
      '  least: {type: number, default: 1}\n',
      'amount > 1',
      '4:3 parameter-unused The rule does not use the parameter least.',
    ],
    [
      'no default',
      '  least: {type: number}\n',
      `amount > ${p('least')}`,
      '7:21 parameter-without-value The parameter least has no value.',
    ],
  ])('with %s is told so', (_, parameters, where, told) => {
    const { diagnostics } = rule(parameters, where);
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code} ${d.message}`)[0]).toBe(told);
  });
});
