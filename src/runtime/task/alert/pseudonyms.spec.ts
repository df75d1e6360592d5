import { createHmac } from 'node:crypto';
import type { Match } from '../../../engine/index.js';
import { parseRule } from '../../../rules/index.js';
import type { Rule } from '../../../rules/rule.js';
import { type AlertSource, buildAlert } from './alert-builder.js';
import { buildNearMiss } from './near-miss.js';
import { isPseudonym, Pseudonyms } from './pseudonyms.js';

const SECRET = 'a secret that is long enough, and so on';
const pseudonyms = new Pseudonyms(SECRET, ['CardId', 'holder', 'limit']);
const psn = (value: unknown): string =>
  `psn_${createHmac('sha256', SECRET).update(`value:${value}`).digest('base64url').slice(0, 22)}`;

const RECORDS = [
  { id: 't1', cardId: 'c-77', amount: 5, holder: { name: 'Ann Lee', born: 1970 }, limit: 1234.567, note: null },
  { id: 't2', cardId: 'c-77', amount: 7, holder: null, limit: 9, note: 'x' },
];
const events = RECORDS.map((fields, i) => ({ time: i, seq: i, kind: 'Payment', fields, offset: i, raw: fields }));

const sourceOf = (of?: Pseudonyms, idField = 'id'): AlertSource => ({
  placeOf: ({ offset }) => ({ topic: 'payments', partition: 0, offset }),
  idFieldOf: () => idField,
  decodeWhole: ({ raw }) => raw as never,
  ...(of && { pseudonyms: () => of }),
});

const MESSAGE =
  '{{ key }}: {{ first(s).amount }}, {{ last(s).cardId }}, {{ max(s.limit) }}, {{ count(s) }}, {{ amount > 0 ? cardId : "" }}, {{ cardId == "c-77" }}, {{ usual }}, {{ seen }}';
function ruleOf(rest = 'key: cardId'): Rule {
  const { rule, diagnostics } = parseRule(
    `id: a
${rest}
features:
  - {name: usual, max: limit, over: 1d}
  - {name: seen, distinct: cardId, over: 1d}
  - {name: sum, sum: amount, over: 1d}
pattern:
  - {begin: s, where: 'amount > 0 && usual >= 0 && seen >= 0 && sum >= 0', times: 2}
alert: {severity: high, message: '${MESSAGE}'}
`,
    'p.yaml',
    null,
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

const matchOf = (rule: Rule): Match => ({
  steps: [{ name: 's', events: events as never }],
  // In the order of the message: what is no plain field or statistic of a step is a value.
  values: rule.values!.map((expr) => {
    if (expr.op === 'compare') return true;
    if (expr.op === 'feature') return expr.feature.fn === 'distinct' ? 1 : 1234.567;
    return 'c-77!';
  }),
  features: { usual: 1234.567, seen: 1, sum: 12 },
});

const alertOf = (rule: Rule, of?: Pseudonyms, idField?: string) =>
  buildAlert(rule, 'c-77', matchOf(rule), 5, sourceOf(of, idField));

describe('what conditions read, with pseudonyms', () => {
  it('has no personal value, nor one that was computed of one', () => {
    const where = 'cardId == s.cardId && limit > max(s.limit) && amount > 0 && key != "x" && count(s) > 0';
    const steps = `[{begin: s}, {next: t, where: '${where}'}]`;
    const { rule } = parseRule(`id: b\nkey: cardId\npattern: ${steps}\n`, 'p.yaml', null);
    const read = {
      cardId: 'c-77',
      's.cardId': null,
      limit: 9,
      'max(s.limit)': 1,
      amount: 5,
      key: 'c-77',
      'count(s)': 1,
    };
    expect(pseudonyms.operands(rule!, read)).toEqual({
      ...{ cardId: psn('c-77'), 's.cardId': null, limit: psn(9), 'max(s.limit)': psn(1) },
      ...{ amount: 5, key: psn('c-77'), 'count(s)': 1 },
    });
  });
});

describe('an alert with pseudonyms', () => {
  const rule = ruleOf();
  const plain = alertOf(rule);
  const alert = alertOf(rule, pseudonyms);

  it('has no personal value anywhere, and all else as it was', () => {
    expect(alert.key).toBe(psn('c-77'));
    expect(alert.steps[0]!.events.map(({ fields }) => fields)).toEqual([
      {
        ...RECORDS[0],
        ...{ cardId: psn('c-77'), holder: { name: psn('Ann Lee'), born: psn(1970) }, limit: psn(1234.567) },
      },
      { ...RECORDS[1], cardId: psn('c-77'), limit: psn(9) },
    ]);
    expect(alert.features).toEqual({ usual: psn(1234.567), seen: 1, sum: 12 });
    expect(JSON.stringify(alert)).not.toMatch(/c-77|Ann|1970|1234/);
    const same = ['patternId', 'revision', 'score', 'severity', 'detectedAt', 'keyField'] as const;
    for (const name of same) expect(alert[name]).toEqual(plain[name]);
  });

  it('says in its message what is personal by pseudonyms, and what is told of it as it is', () => {
    expect(plain.message).toMatch(/^c-77: 5, c-77, 1234\.57, 2, c-77!, true, /);
    const [key, amount, card, limit, count, computed, compared] = alert.message.split(/: |, /);
    expect([key, card, computed]).toEqual([psn('c-77'), psn('c-77'), psn('c-77!')]);
    expect([amount, count, compared]).toEqual(['5', '2', 'true']);
    expect(limit).toBe(psn(1234.567));
  });

  it('has an id of its own, which does not follow from what is in it', () => {
    expect(alert.id).toMatch(/^[0-9a-f]{32}$/);
    expect(alert.id).not.toBe(plain.id);
    expect(alertOf(ruleOf(), new Pseudonyms(SECRET, ['cardid'])).id).toBe(alert.id);
    expect(alertOf(rule, new Pseudonyms(`${SECRET}!`, ['cardId'])).id).not.toBe(alert.id);
  });

  it('has the ids of events as they are, unless they are personal', () => {
    expect(alert.steps[0]!.events.map(({ id }) => id)).toEqual(['t1', 't2']);
    expect(alertOf(rule, pseudonyms, 'cardId').steps[0]!.events.map(({ id }) => id)).toEqual(
      Array(2).fill(psn('c-77')),
    );
  });

  it.each([
    ['key: amount', false],
    ['key: [amount, cardId]', true],
    ['key: {each: [amount, cardId]}', true],
  ])('has the key of %s as a pseudonym: %p', (key, isPersonal) => {
    const other = ruleOf(key);
    expect(pseudonyms.isKeyPersonal(other)).toBe(isPersonal);
    expect(alertOf(other, pseudonyms).key).toBe(isPersonal ? psn('c-77') : 'c-77');
  });

  it('is told from one without by its key', () => {
    expect([isPseudonym(alert.key), isPseudonym('c-77'), isPseudonym('psn_1')]).toEqual([true, false, false]);
  });
});

it('a near miss has pseudonyms, too', () => {
  const nearMiss = { by: 'within', missing: ['s'], time: 9, event: events[1], steps: matchOf(ruleOf()).steps } as never;
  const [plain, told] = [undefined, pseudonyms].map((of) => buildNearMiss(ruleOf(), 'c-77', nearMiss, sourceOf(of)));
  expect(told!.key).toBe(psn('c-77'));
  expect(told!.id).not.toBe(plain!.id);
  expect(JSON.stringify(told)).not.toMatch(/c-77|Ann Lee/);
});
