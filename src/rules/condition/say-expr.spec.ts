import { payments } from '../testkit/payments.js';
import { checkCondition } from './check-condition.js';
import { sayExpr } from './say-expr.js';

const ignore = { error: () => undefined, warning: () => undefined };
const steps = [{ name: 'small', negated: false, repeats: true }];
const read = (text: string) => checkCondition(text, { schema: payments, steps, self: 0, fields: new Set() }, ignore)!;

describe('an expression in words of conditions', () => {
  it.each([
    'amount > 10',
    "country == 'FR' && approved || amount < 5 && !approved",
    "(country == 'FR' || approved) && amount < 5",
    '(amount + 1) * 2 >= small.amount - (amount - 3)',
    "country in ['FR', 'it\\'s']",
    "country in list('home') && list('home', accountId) != country && listNumber('limit', accountId) > 5",
    'has(deviceId) && deviceId == null',
    'count(small) > 2 && sum(small.amount) > 5 && first(small).amount < small[1].amount',
    "hour(time, 'Europe/Berlin') < 6 && small.time < time",
    '(approved ? amount : 0 - amount) > 5',
    '!(amount > 5 && approved)',
  ])('reads back as itself: %s', (text) => {
    expect(read(sayExpr(read(text)))).toEqual(read(text));
    expect(sayExpr(read(text))).toBe(text);
  });
});
