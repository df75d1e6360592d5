import type { Expr } from '../../engine/index.js';
import type { EventSchema } from '../schema.js';
import { payments } from '../testkit/payments.js';
import { parseRule } from './parse-rule.js';

const text = (name: string) => [name, { name, type: 'string', optional: false }] as const;
const logins: EventSchema = {
  stream: 'logins',
  fields: new Map(['userId', 'accountId', 'device', 'ip'].map(text)),
  kinds: new Set(['Ok', 'Failed']),
  kindParents: new Map(),
};
const chargebacks: EventSchema = {
  stream: 'chargebacks',
  fields: new Map(['accountId', 'reason'].map(text)),
  kinds: null,
  kindParents: new Map(),
};
const streams = [payments, logins, chargebacks].map((schema) => ({ name: schema.stream, schema }));

const read = (body: string, known: Parameters<typeof parseRule>[2] = streams) =>
  parseRule(`id: a\nwithin: 1h\n${body}`, 'a.yaml', known);

const ruleOf = (body: string, known = streams) => {
  const { rule, diagnostics } = read(body, known);
  expect(diagnostics.map(({ line, code, message }) => `${line} ${code} ${message}`)).toEqual([]);
  return rule!;
};

const told = (body: string, known: Parameters<typeof parseRule>[2] = streams) =>
  read(body, known).diagnostics.map(({ line, code, message, hint }) => [`${line} ${code} ${message}`, hint]);

const isOf = (name: string): Expr => ({
  op: 'compare',
  cmp: '==',
  left: { op: 'meta', name: 'stream' },
  right: { op: 'const', value: name },
});
const wheres = (body: string) =>
  ruleOf(body).pattern.steps.map((step) => (step.kind === 'event' ? step.where : undefined));

const JOINED = `
key: accountId
pattern:
  - {begin: login, from: logins, where: ip == '1', subtype: Failed}
  - {followedBy: paid, from: payments, where: country == login.ip && amount > 5}
`;

describe('the streams of a rule', () => {
  it('are those that its steps name, and each condition is of its own', () => {
    const rule = ruleOf(JOINED);
    expect(rule.streams).toEqual(['logins', 'payments']);
    expect(wheres(JOINED)).toMatchObject([
      { op: 'and', args: [isOf('logins'), { op: 'compare' }] },
      { op: 'and', args: [isOf('payments'), { op: 'and' }] },
    ]);
    expect(rule.fields).toEqual(['accountId', 'amount', 'country', 'ip']);
  });

  it.each([
    ['the field of another stream', 'amount > 5', '6 unknown-field There is no field amount.'],
    ['the field of a step, of its own stream', 'ip == login.amount', '6 unknown-field There is no field amount.'],
    ['a kind of another stream', "ip == 'x', subtype: Payment", '6 unknown-kind There is no kind Payment.'],
  ])('are told apart: %s', (_, where, error) => {
    const body = `key: accountId\npattern:\n  - {begin: login, from: logins}\n  - {next: b, from: logins, where: ${where}}`;
    expect(told(body).map(([first]) => first)).toEqual([error]);
  });

  it('are tested where events of others could come, and there alone', () => {
    expect(wheres('key: accountId\nfrom: logins\npattern:\n  - {begin: a, from: logins}\n  - {next: b}')).toEqual([
      undefined,
      undefined,
    ]);
    const any = 'key: accountId\nfrom: [logins, payments]\npattern:\n  - {begin: a, from: logins}\n  - {next: b}';
    expect(ruleOf(any).streams).toEqual(['logins', 'payments']);
    expect(wheres(any)).toEqual([isOf('logins'), undefined]);
    const three =
      'key: accountId\nfrom: [logins, payments]\npattern:\n  - {begin: a, from: chargebacks}\n  - {next: b}';
    expect(wheres(three)[1]).toEqual({
      ...{ op: 'in', left: { op: 'meta', name: 'stream' } },
      values: ['logins', 'payments'],
    });
  });

  it('bound what ends a loop, and what a feature counts', () => {
    const rule = ruleOf(`key: accountId
from: payments
features:
  - {name: n, count: true, from: logins, over: 1h}
  - {name: s, sum: amount, over: 1h, where: amount > 1}
pattern:
  - {begin: a, from: logins, oneOrMore: true, until: ip == '1'}
  - {followedBy: b, where: n > 1 && s > 1}`);
    expect(rule.pattern.steps[0]).toMatchObject({ until: { op: 'and', args: [isOf('logins'), {}] } });
    const where = JSON.stringify(rule.pattern.steps[1]);
    expect(where).toContain(
      JSON.stringify({ op: 'feature', feature: { fn: 'count', overMs: 3_600_000, where: isOf('logins') } }),
    );
    expect(where).toContain(`"where":{"op":"and","args":[${JSON.stringify(isOf('payments'))}`);
  });

  it.each([
    ['the one that has all of the fields', "reason == 'x'", ['chargebacks']],
    ['the one whose enum has the symbol', "type == 'Login'", ['payments']],
  ])('are found without from: %s', (_, where, expected) => {
    expect(ruleOf(`key: accountId\npattern: [{begin: a, where: "${where}"}]`).streams).toEqual(expected);
  });

  it('are not named where there is but one', () => {
    const one = [{ name: 'payments', schema: payments }];
    expect(ruleOf('key: accountId\npattern: [{begin: a}]', one).streams).toEqual([]);
    expect(ruleOf('key: accountId\nfrom: payments\npattern: [{begin: a}]', one).streams).toEqual(['payments']);
  });

  it('change what the rule means only where there are several', () => {
    const one = [{ name: 'payments', schema: payments }];
    const body = "key: accountId\npattern: [{begin: a, where: country == 'X'}]";
    expect(ruleOf(body).revision).toBe(ruleOf(body, one).revision);
    const any = ruleOf('key: accountId\nfrom: [payments, logins]\npattern: [{begin: a}]');
    expect(any.revision).not.toBe(ruleOf('key: accountId\nfrom: logins\npattern: [{begin: a}]').revision);
  });

  it('must be said where several would do', () => {
    expect(told('key: accountId\npattern:\n  - {begin: a}')).toEqual([
      [
        '4 ambiguous-stream Which stream is meant? payments and logins and chargebacks would do.',
        'Add from: payments to the rule, or to each step and feature.',
      ],
    ]);
    expect(told('key: a\npattern: [{begin: a, from: x}, {next: b}]', null)).toMatchObject([
      [expect.stringContaining('ambiguous-stream'), expect.anything()],
    ]);
  });

  it.each([
    ['key: accountId\npattern: [{begin: a, from: login}]', '4 unknown-stream There is no stream login.'],
    ['key: accountId\nfrom: [logins, x]\npattern: [{begin: a}]', '4 unknown-stream There is no stream x.'],
    [
      'key: accountId\npattern: [{begin: {group: [{begin: a, from: logins}]}, from: logins}]',
      '4 from-on-group A group has no from of its own.',
    ],
  ])('%s: %s', (body, error) => {
    expect(told(body).map(([first]) => first)).toContain(error);
  });
});

describe('the key of a rule', () => {
  it.each([
    ['accountId', 'accountId', { form: 'one', field: 'accountId' }, ['accountId']],
    [
      '[accountId, deviceId]',
      'accountId+deviceId',
      { form: 'pair', fields: ['accountId', 'deviceId'] },
      ['accountId', 'deviceId'],
    ],
    [
      '{each: [accountId, country]}',
      'accountId|country',
      { form: 'each', fields: ['accountId', 'country'] },
      ['accountId', 'country'],
    ],
  ])('%s', (key, name, keyBy, fields) => {
    const rule = ruleOf(`key: ${key}\nfrom: payments\npattern: [{begin: a}]`);
    expect(rule).toMatchObject({ key: name, keyBy, fields });
  });

  it('can have another name in each stream', () => {
    const rule = ruleOf(JOINED.replace('accountId', '{by: {payments: accountId, logins: userId}}'));
    expect(rule.key).toBe('logins.userId,payments.accountId');
    expect(rule.keyBy).toEqual({ form: 'by', streams: { payments: 'accountId', logins: 'userId' } });
  });

  it.each([
    [
      'userId',
      '3 unknown-field payments has no field userId.',
      'If it has another name there, write key: {by: {payments: …}}.',
    ],
    [
      '{by: {payments: accountId}}',
      '3 missing-key by does not say what the events of logins are grouped by.',
      'Add logins: with a field of that stream.',
    ],
    ['{by: {payments: accountId, logins: user}}', '3 unknown-field There is no field user.', expect.anything()],
    [
      '{by: {payments: accountId, logins: userId, x: y}}',
      '3 unknown-stream There is no stream x.',
      'There are payments, logins, chargebacks.',
    ],
    ['{each: [accountId, nowhere]}', '3 unknown-field payments has no field nowhere.', expect.anything()],
    ['[accountId]', '3 wrong-form key must be a list of 2 to 8 fields.', undefined],
    ['[accountId, accountId]', '3 bad-value accountId stands here twice.', 'Leave one of them out.'],
    ['{all: [a, b]}', '3 unknown-key key has no key all.', 'Known: each, by.'],
  ])('%s: %s', (key, error, hint) => {
    expect(told(JOINED.trim().replace('accountId', key))).toContainEqual([error, hint]);
  });

  it('may be in one stream alone where an event counts for each of several', () => {
    const rule = ruleOf(JOINED.replace('accountId', '{each: [deviceId, userId, country]}'));
    expect(rule.key).toBe('deviceId|userId|country');
  });

  it('equals numbers by their text', () => {
    const body = 'key: {each: [accountId, country]}\nfrom: payments\npattern: [{begin: a, where: amount == key}]';
    const left = { op: 'call', fn: 'string', args: [{ op: 'field', name: 'amount' }] };
    expect(ruleOf(body).pattern.steps[0]).toMatchObject({ where: { op: 'compare', cmp: '==', left } });
  });

  it('is a value in conditions, as text', () => {
    const body = 'key: {each: [accountId, country]}\nfrom: payments\npattern: [{begin: a, where: country == key}]';
    expect(ruleOf(body).pattern.steps[0]).toMatchObject({ where: { right: { op: 'meta', name: 'key' } } });
    expect(told(body.replace('country == key', 'amount > key'))).toMatchObject([
      [expect.stringContaining('type-mismatch'), undefined],
    ]);
  });
});
