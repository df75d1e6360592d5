import { AvroDecoders } from './decoder.js';
import { type AvroSchema, readAvroSchema } from './schema.js';
import { TransactionEncoder } from './transaction-encoder.js';

const transaction = readAvroSchema(new URL('../../../schemas/transaction.avsc', import.meta.url));
const encoder = new TransactionEncoder(transaction);
const input = { transactionId: 't1', accountId: 'a1', eventTime: 1_700_000_000_000, type: 'Payment' };

function roundTrip(schema: AvroSchema, value: unknown): unknown {
  const result = new TransactionEncoder(schema).encode(value);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return AvroDecoders.plain({ writer: schema }).decoder(null).decodeWhole(result.bytes);
}

function errorsOf(schema: AvroSchema, value: unknown): readonly unknown[] {
  const result = new TransactionEncoder(schema).encode(value);
  return result.ok ? [] : result.errors.map((e) => `${e.path}: expected ${e.expected}, got ${e.got}`);
}

const one = (type: unknown) => ({ type: 'record', name: 'R', fields: [{ name: 'v', type }] }) as unknown as AvroSchema;

describe('the transaction encoder', () => {
  it('fills in defaults, and takes bare values for unions', () => {
    expect(roundTrip(transaction, { ...input, counterparty: 'b2' })).toMatchObject({
      ...input,
      amount: 0,
      currency: 'EUR',
      counterparty: 'b2',
      merchantId: null,
    });
  });

  it('tells all that is wrong at once, with its place', () => {
    const wrong = { accountId: 7, eventTime: 'yesterday', type: 'Gift', amount: '12', amuont: 1, ip: 5 };
    expect(errorsOf(transaction, wrong)).toEqual([
      'transactionId: expected text, got nothing',
      'accountId: expected text, got 7',
      'eventTime: expected milliseconds since 1970, or text in ISO 8601, got "yesterday"',
      expect.stringMatching(/^type: expected one of Other, Deposit, .*, got "Gift"$/),
      'amount: expected a number, got "12"',
      'ip: expected text, or null, got 5',
      'amuont: expected a field of Transaction, got an unknown field',
    ]);
  });

  it.each([[null], [undefined], [[]], ['text'], [7]])('wants an object, not %j', (value) => {
    expect(encoder.encode(value)).toMatchObject({
      ok: false,
      errors: [{ path: '', expected: 'an object (Transaction)' }],
    });
  });

  it('can drop unknown fields instead', () => {
    const lenient = new TransactionEncoder(transaction, { unknownFields: 'drop' });
    expect(lenient.encode({ ...input, more: 1 }).ok).toBe(true);
  });

  it('frames values with the schema id of a registry', () => {
    const result = new TransactionEncoder(transaction, { registryId: 5 }).encode(input);
    expect(result.ok && [...result.bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, 5]);
  });

  it('takes times as numbers and as ISO 8601, a time without a zone as UTC', () => {
    const time = (eventTime: unknown) =>
      (roundTrip(transaction, { ...input, eventTime }) as { eventTime: number }).eventTime;
    expect(time('2023-11-14T22:13:20Z')).toBe(1_700_000_000_000);
    expect(time('2023-11-14T22:13:20')).toBe(1_700_000_000_000);
    expect(time('2023-11-14T23:13:20.5+01:00')).toBe(1_700_000_000_500);
    expect(time('2023-11-14')).toBe(Date.UTC(2023, 10, 14));
    const micros = one({ type: 'long', logicalType: 'timestamp-micros' });
    expect(roundTrip(micros, { v: 1_700_000_000_123 })).toEqual({ v: 1_700_000_000_123 });
  });

  it('writes decimals exactly', () => {
    const decimal = one({ type: 'bytes', logicalType: 'decimal', precision: 20, scale: 2 });
    for (const v of [0, 0.01, -0.01, 123.45, -128, 127.99, 99_999_999.99])
      expect(roundTrip(decimal, { v })).toEqual({ v });
    expect(roundTrip(decimal, { v: '12.50' })).toEqual({ v: 12.5 });
    expect(errorsOf(decimal, { v: 1.234 })).toEqual(['v: expected a number of at most 2 decimals, got 1.234']);
    const small = one({ type: 'fixed', name: 'F', size: 1, logicalType: 'decimal', precision: 2, scale: 0 });
    expect(roundTrip(small, { v: -128 })).toEqual({ v: -128 });
    expect(errorsOf(small, { v: 128 })).toHaveLength(1);
  });

  it('refuses numbers that the type cannot hold', () => {
    expect(errorsOf(one('int'), { v: 2 ** 31 })).toHaveLength(1);
    expect(errorsOf(one('long'), { v: 2 ** 53 })).toHaveLength(1);
    expect(errorsOf(one('long'), { v: 1.5 })).toHaveLength(1);
    expect(errorsOf(one('double'), { v: Number.NaN })).toHaveLength(1);
  });

  it('writes bytes, lists, maps and unions of records', () => {
    expect(roundTrip(one('bytes'), { v: 'aGVsbG8=' })).toEqual({ v: 'aGVsbG8=' });
    expect(roundTrip(one({ type: 'array', items: 'int' }), { v: [1, 2] })).toEqual({ v: [1, 2] });
    expect(errorsOf(one({ type: 'array', items: 'int' }), { v: [1, 'x'] })).toEqual([
      'v[1]: expected a whole number of 32 bits, got "x"',
    ]);
    expect(roundTrip(one({ type: 'map', values: ['null', 'int'] }), { v: { a: 1, b: null } })).toEqual({
      v: { a: 1, b: null },
    });
    const card = { type: 'record', name: 'Card', namespace: 'x', fields: [{ name: 'country', type: 'string' }] };
    const cash = { type: 'record', name: 'Cash', namespace: 'x', fields: [{ name: 'atm', type: 'int' }] };
    expect(roundTrip(one([card, cash]), { v: { atm: 1 } })).toEqual({ v: { atm: 1 } });
    expect(roundTrip(one([card, cash]), { v: { Card: { country: 'NL' } } })).toEqual({ v: { country: 'NL' } });
    expect(errorsOf(one([card, cash]), { v: { Card: { country: 1 } } })).toEqual(['v.country: expected text, got 1']);
  });

  it('does not throw for input nested beyond the stack', () => {
    const tree = { type: 'record', name: 'T', fields: [{ name: 'next', type: ['null', 'T'], default: null }] };
    let value: object = {};
    for (let i = 0; i < 200_000; i++) value = { next: value };
    const result = new TransactionEncoder(tree as unknown as AvroSchema).encode(value);
    expect(result.ok).toBe(false);
  });
});
