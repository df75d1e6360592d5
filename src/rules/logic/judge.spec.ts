import { checkCondition } from '../condition/check-condition.js';
import type { EventSchema } from '../schema.js';
import { payments } from '../testkit/payments.js';

const steps = [
  { name: 'large', negated: false, repeats: false },
  { name: 'small', negated: false, repeats: true },
];

/** `code: the marked text: message` of every warning on a condition of the step `small`. */
function warnings(text: string, schema: EventSchema | null = payments): readonly string[] {
  const found: string[] = [];
  const reporter = {
    error: (code: string) => void found.push(code),
    warning: (code: string, { start, end }: { start: number; end: number }, message: string) =>
      void found.push(`${code}: ${text.slice(start, end)}: ${message}`),
  };
  checkCondition(text, { schema, steps, self: 1, fields: new Set() }, reporter);
  return found;
}

describe('a condition that can never be true', () => {
  it.each([
    ['amount > 10 && amount < 5', 'amount < 5', 'amount > 10'],
    ['amount > 10 && approved && 5 > amount', '5 > amount', 'amount > 10'],
    ['amount > 10 && !(amount > 5)', '!(amount > 5)', 'amount > 10'],
    ['amount > 10 && amount <= 10', 'amount <= 10', 'amount > 10'],
    ['amount == 10 && amount != 10', 'amount != 10', 'amount == 10'],
    ["country == 'FR' && country == 'DE'", "country == 'DE'", "country == 'FR'"],
    ["country in ['FR', 'DE'] && !(country in ['DE', 'FR'])", "!(country in ['DE', 'FR'])", "country in ['FR', 'DE']"],
    ["type == 'Login' && type in ['Payment', 'Transfer']", "type in ['Payment', 'Transfer']", "type == 'Login'"],
    ['approved && !approved', '!approved', 'approved'],
    ['approved == true && approved == false', 'approved == false', 'approved == true'],
    ['amount > large.amount && amount < large.amount', 'amount < large.amount', 'amount > large.amount'],
    ['amount > large.amount && large.amount >= amount', 'large.amount >= amount', 'amount > large.amount'],
    ['count(small) > 2 && count(small) < 3', 'count(small) < 3', 'count(small) > 2'],
    ['has(deviceId) && deviceId == null', 'deviceId == null', 'has(deviceId)'],
    ["deviceId == null && deviceId != 'x'", "deviceId != 'x'", 'deviceId == null'],
    ["startsWith(country, 'F') && !startsWith(country, 'F')", "!startsWith(country, 'F')", "startsWith(country, 'F')"],
    ['amount > 10 && (amount < 5 || amount < 7)', 'amount < 5 || amount < 7', 'amount > 10'],
  ])('%s', (text, marked, other) => {
    expect(warnings(text)).toEqual([`always-false: ${marked}: This is never true together with ${other}.`]);
  });

  it.each([
    ['count(small) < 0', 'count(small) < 0 is never true.'],
    ['amount != amount', 'amount != amount is never true.'],
    ['1 > 2', '1 > 2 is never true.'],
    ['approved && amount < amount', 'amount < amount is never true.'],
    ['false', 'false is never true.'],
    ['country == null', 'country == null is never true.'],
  ])('%s, by itself', (text, message) => {
    expect(warnings(text)).toEqual([expect.stringContaining(message)]);
  });

  it('is found where three parts exclude each other', () => {
    expect(warnings("type in ['Login', 'Payment'] && type != 'Login' && type != 'Payment'")).toEqual([
      "always-false: type != 'Payment': This is never true together with the parts before it.",
    ]);
  });
});

describe('a condition that is always true', () => {
  it.each([
    ['amount > 5 || amount <= 10', 'always-true: amount <= 10: Either this or amount > 5 is always true.'],
    ['has(amount)', 'always-true: has(amount): has(amount) is always true.'],
    ['count(small) >= 0 && approved', 'always-true: count(small) >= 0: count(small) >= 0 is always true.'],
    [
      "approved || type != 'Login' || type == 'Login'",
      expect.stringContaining("type == 'Login': Either this or type != 'Login'"),
    ],
  ])('%s', (text, expected) => {
    expect(warnings(text)).toEqual([expected]);
  });
});

describe('a condition that can be true and false', () => {
  it.each([
    'amount > 5 && amount < 10',
    'amount > 5 || amount < 10 && approved',
    'amount >= 5 && amount <= 5',
    "country != 'FR' && country != 'DE'",
    "country > 'A' && country < 'B'",
    "type in ['Login', 'Payment'] && type != 'Login'",
    "deviceId == 'x' || deviceId != 'x'",
    'large.amount > 5 || large.amount <= 5',
    'amount > large.amount && amount > 5 && large.amount < 3',
    'has(deviceId) || approved',
    'count(small) == 0 || amount < first(small).amount',
    'amount > 5 ? approved : !approved',
    'true',
  ])('%s', (text) => {
    expect(warnings(text)).toEqual([]);
  });

  it('is left alone where nothing is known of the field', () => {
    expect(warnings("(a > 5 || a <= 5) && (b == true || b == false || b == 'x') && a != 'x'", null)).toEqual([]);
  });

  it('is told apart in bounded time, however many alternatives there are', () => {
    const either = Array.from({ length: 40 }, (_, i) => `(amount > ${i} || country == 'C${i}')`).join(' && ');
    expect(warnings(either)).toEqual([]);
  });
});
