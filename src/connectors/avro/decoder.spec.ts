import avsc from 'avsc';
import { DecodeFailure } from '../../runtime/ports/decoder.js';
import type { LogRecord } from '../../runtime/ports/log.js';
import { AvroDecoders } from './decoder.js';
import type { AvroSchema } from './schema.js';
import { AvroSchemaError } from './schema.js';

const from = { topic: 'transactions', partition: 0 };

function record(value: Uint8Array | null): LogRecord {
  return { offset: 0, timestamp: 0, key: null, value, headers: null };
}

/** Written by avsc itself, with unions wrapped as its defaults have it. */
function encode(schema: AvroSchema, value: unknown): Buffer {
  return avsc.Type.forSchema(schema as never).toBuffer(value);
}

function payment(fields: readonly object[], name = 'Payment'): AvroSchema {
  return { type: 'record', name, fields } as unknown as AvroSchema;
}

function decodeOne(writer: AvroSchema, value: unknown, fields: string[] | null = null, reader?: AvroSchema) {
  return AvroDecoders.plain({ writer, reader })
    .decoder(fields)
    .decode(record(encode(writer, value)), from);
}

function fieldsOf(result: unknown): Readonly<Record<string, unknown>> {
  if (result instanceof DecodeFailure) throw new Error(`${result.reason}: ${result.detail}`);
  return (result as { fields: Readonly<Record<string, unknown>> }).fields;
}

const writer = payment([
  { name: 'id', type: 'string' },
  { name: 'amount', type: 'double' },
  { name: 'note', type: ['null', 'string'] },
  { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
]);
const value = { id: 'p1', amount: 12.5, note: 'x', time: 1_700_000_000_000 };

describe('a plain Avro decoder', () => {
  it('decodes only the fields asked for, as plain objects', () => {
    const fields = fieldsOf(decodeOne(writer, value, ['time', 'id']));
    expect(fields).toStrictEqual({ id: 'p1', time: 1_700_000_000_000 });
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
  });

  it('gives null for a field that is asked for and not there', () => {
    expect(fieldsOf(decodeOne(writer, value, ['id', 'country']))).toStrictEqual({ id: 'p1', country: null });
  });

  it('names the record without its namespace', () => {
    const spaced: AvroSchema = { ...(writer as object), namespace: 'com.acme' } as never;
    expect(decodeOne(spaced, value)).toMatchObject({ recordName: 'Payment' });
  });

  it('decodes the whole record for alerts, whatever the projection', () => {
    const decoder = AvroDecoders.plain({ writer }).decoder(['id']);
    expect(decoder.decodeWhole(encode(writer, value))).toStrictEqual(value);
  });

  it('takes a value that is a Uint8Array within a larger buffer', () => {
    const bytes = encode(writer, value);
    const larger = new Uint8Array(bytes.length + 8);
    larger.set(bytes, 4);
    const decoder = AvroDecoders.plain({ writer }).decoder(null);
    expect(fieldsOf(decoder.decode(record(larger.subarray(4, 4 + bytes.length)), from))).toStrictEqual(value);
  });

  it('refuses schemas without a record at the top', () => {
    expect(() => AvroDecoders.plain({ writer: 'string' })).toThrow(AvroSchemaError);
    expect(() => AvroDecoders.plain({ writer: { type: 'record', name: 'a b', fields: [] } })).toThrow(AvroSchemaError);
  });
});

describe('a reader schema', () => {
  const reader = payment([
    { name: 'id', type: 'string' },
    { name: 'value', type: 'double', aliases: ['amount'] },
    { name: 'country', type: 'string', default: 'NL' },
  ]);

  it('takes aliases and defaults, and drops what the writer added', () => {
    expect(fieldsOf(decodeOne(writer, value, null, reader))).toStrictEqual({ id: 'p1', value: 12.5, country: 'NL' });
  });

  it('keeps one shape for records of different writers', () => {
    const second = payment([
      { name: 'country', type: 'string' },
      { name: 'amount', type: 'int' },
      { name: 'id', type: 'string' },
    ]);
    const other = fieldsOf(decodeOne(second, { id: 'p2', amount: 3, country: 'BE' }, null, reader));
    expect(Object.keys(other)).toEqual(['id', 'value', 'country']);
    expect(other).toStrictEqual({ id: 'p2', value: 3, country: 'BE' });
  });

  it('does not mind a field that no rule reads and that does not fit', () => {
    const strict = payment([
      { name: 'id', type: 'string' },
      { name: 'branch', type: 'string' },
    ]);
    expect(fieldsOf(decodeOne(writer, value, ['id'], strict))).toStrictEqual({ id: 'p1' });
    expect(decodeOne(writer, value, ['branch'], strict)).toMatchObject({
      reason: 'incompatible-schema',
      detail: expect.stringContaining('no matching field'),
    });
    const decoder = AvroDecoders.plain({ writer, reader: strict }).decoder(['id']);
    expect(decoder.decodeWhole(encode(writer, value))).toStrictEqual(value);
  });

  it('reads an enum symbol that it does not know as its default', () => {
    const symbols = (names: string[], fallback?: string) =>
      payment([{ name: 'kind', type: { type: 'enum', name: 'Kind', symbols: names, default: fallback } }]);
    const known = symbols(['OTHER', 'CARD'], 'OTHER');
    expect(fieldsOf(decodeOne(symbols(['CARD', 'CRYPTO']), { kind: 'CRYPTO' }, null, known))).toEqual({
      kind: 'OTHER',
    });
    expect(fieldsOf(decodeOne(symbols(['CARD', 'CRYPTO']), { kind: 'CARD' }, null, known))).toEqual({ kind: 'CARD' });
    const without = symbols(['OTHER', 'CARD']);
    expect(decodeOne(symbols(['CARD', 'CRYPTO']), { kind: 'CRYPTO' }, null, without)).toMatchObject({
      reason: 'incompatible-schema',
    });
  });

  it('does not need the namespace to be the same, but the name or an alias', () => {
    const renamed = payment([{ name: 'id', type: 'string' }], 'Purchase');
    expect(decodeOne(writer, value, null, renamed)).toMatchObject({ reason: 'incompatible-schema' });
    const aliased: AvroSchema = { ...(renamed as object), namespace: 'b', aliases: ['a.Payment'] } as never;
    expect(decodeOne(writer, value, null, aliased)).toMatchObject({ recordName: 'Purchase', fields: { id: 'p1' } });
  });

  it('keeps a definition that stands in a field which is not asked for', () => {
    const shared = payment([
      { name: 'first', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
      { name: 'second', type: 'Kind' },
    ]);
    expect(fieldsOf(decodeOne(shared, { first: 'A', second: 'B' }, ['second'], shared))).toStrictEqual({ second: 'B' });
  });
});

describe('a union of records', () => {
  const union = [
    payment([{ name: 'amount', type: 'int' }], 'Deposit'),
    payment(
      [
        { name: 'amount', type: 'int' },
        { name: 'atm', type: 'string' },
      ],
      'Withdrawal',
    ),
    'null',
  ] as unknown as AvroSchema;

  it('comes unwrapped, with the name of its branch', () => {
    expect(decodeOne(union, { Withdrawal: { amount: 5, atm: 'a' } }, ['amount', 'atm'])).toEqual({
      recordName: 'Withdrawal',
      fields: { amount: 5, atm: 'a' },
    });
    expect(decodeOne(union, { Deposit: { amount: 5 } }, ['amount', 'atm'])).toEqual({
      recordName: 'Deposit',
      fields: { amount: 5, atm: null },
    });
  });

  it('fails for null and for a branch that does not exist', () => {
    expect(decodeOne(union, null)).toMatchObject({ reason: 'empty-value' });
    const decoder = AvroDecoders.plain({ writer: union }).decoder(null);
    expect(decoder.decode(record(Buffer.from([8, 1])), from)).toMatchObject({ reason: 'malformed' });
  });

  it('fails only for a branch that the reader lacks', () => {
    const reader = (union as unknown as AvroSchema[])[0]!;
    expect(decodeOne(union, { Deposit: { amount: 5 } }, null, reader)).toMatchObject({ recordName: 'Deposit' });
    expect(decodeOne(union, { Withdrawal: { amount: 5, atm: 'a' } }, null, reader)).toMatchObject({
      reason: 'incompatible-schema',
    });
  });
});

describe('values', () => {
  const one = (type: unknown, raw: unknown, readerType: unknown = type) =>
    fieldsOf(decodeOne(payment([{ name: 'v', type }]), { v: raw }, null, payment([{ name: 'v', type: readerType }]))).v;

  it.each([
    ['millis', 1_700_000_000_123],
    ['micros', 1_700_000_000_123_999],
  ])('timestamps in %s come in milliseconds', (unit, raw) => {
    expect(one({ type: 'long', logicalType: `timestamp-${unit}` }, raw)).toBe(1_700_000_000_123);
    // The writer's unit decides.
    expect(
      one({ type: 'long', logicalType: `timestamp-${unit}` }, raw, { type: 'long', logicalType: 'timestamp-millis' }),
    ).toBe(1_700_000_000_123);
  });

  it('timestamps in nanoseconds come in milliseconds though they are beyond 2^53', () => {
    const schema = payment([{ name: 'v', type: { type: 'long', logicalType: 'timestamp-nanos' } }]);
    const decoder = AvroDecoders.plain({ writer: schema }).decoder(null);
    expect(fieldsOf(decoder.decode(record(zigzag(1_700_000_000_123_456_789n)), from))).toEqual({
      v: 1_700_000_000_123,
    });
  });

  it('decimals come as numbers', () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 };
    expect(one(decimal, Buffer.from([0x30, 0x39]))).toBe(123.45);
    expect(one(decimal, Buffer.from([0xff]))).toBe(-0.01);
    expect(one(decimal, Buffer.alloc(0))).toBe(0);
    expect(one(decimal, Buffer.from('00ffffffffffffffff', 'hex'))).toBe(184_467_440_737_095_520);
    expect(one({ ...decimal, type: 'fixed', name: 'F', size: 8 }, Buffer.from('fffffffffffffffe', 'hex'))).toBe(-0.02);
  });

  it('bytes and fixed come as base 64', () => {
    expect(one('bytes', Buffer.from('hello'))).toBe('aGVsbG8=');
    expect(one({ type: 'fixed', name: 'F', size: 2 }, Buffer.from([1, 2]))).toBe('AQI=');
  });

  it('unions, arrays and maps come as JSON has them', () => {
    expect(one(['null', 'int', 'string'], 7)).toBe(7);
    expect(one(['int', 'double'], { double: 7.5 })).toBe(7.5);
    expect(one({ type: 'array', items: ['null', 'string'] }, ['a', null])).toEqual(['a', null]);
    expect(one({ type: 'map', values: 'int' }, { a: 1 })).toEqual({ a: 1 });
  });

  it('defaults of unions, bytes and nested records are taken', () => {
    const reader = payment([
      { name: 'id', type: 'string' },
      { name: 'a', type: ['null', 'string'], default: null },
      { name: 'b', type: ['string', 'null'], default: 'x' },
      { name: 'c', type: 'bytes', default: 'ÿ' },
      { name: 'd', type: payment([{ name: 'e', type: 'int' }], 'Inner'), default: { e: 1 } },
    ]);
    expect(fieldsOf(decodeOne(writer, value, null, reader))).toEqual({
      id: 'p1',
      a: null,
      b: 'x',
      c: '/w==',
      d: { e: 1 },
    });
  });
});

/** A long as Avro writes it, of any size. */
function zigzag(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value < 0n ? -2n * value - 1n : 2n * value;
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

describe('bad bytes', () => {
  const decoder = AvroDecoders.plain({ writer }).decoder(['id', 'amount']);
  const bytes = encode(writer, value);

  it('a missing value', () => {
    expect(decoder.decode(record(null), from)).toMatchObject({ reason: 'empty-value' });
    expect(decoder.decode(record(Buffer.alloc(0)), from)).toMatchObject({ reason: 'empty-value' });
  });

  it('every truncation is found, and the field named', () => {
    for (let length = 1; length < bytes.length; length++) {
      expect(decoder.decode(record(bytes.subarray(0, length)), from)).toMatchObject({ reason: 'truncated' });
    }
    expect(decoder.decode(record(bytes.subarray(0, 6)), from)).toMatchObject({
      detail: 'the value ends after 6 bytes, within field amount',
    });
  });

  it('bytes after the end are found', () => {
    expect(decoder.decode(record(Buffer.concat([bytes, Buffer.from([0])])), from)).toMatchObject({
      reason: 'trailing-bytes',
      detail: '1 bytes after the end of Payment',
    });
  });

  it('a long beyond 2^53 is malformed where it is read, and skipped where it is not', () => {
    const schema = payment([
      { name: 'id', type: 'string' },
      { name: 'n', type: 'long' },
    ]);
    const poison = record(Buffer.concat([Buffer.from([2, 97]), zigzag(2n ** 60n)]));
    const decoders = AvroDecoders.plain({ writer: schema });
    expect(decoders.decoder(null).decode(poison, from)).toMatchObject({
      reason: 'malformed',
      detail: 'field n: a long beyond 2^53 cannot be read without loss',
    });
    expect(decoders.decoder(['id']).decode(poison, from)).toMatchObject({ fields: { id: 'a' } });
  });

  it.each([
    ['array', { type: 'array', items: 'int' }],
    ['array of nothing', { type: 'array', items: 'null' }],
    ['map', { type: 'map', values: 'int' }],
  ])('an %s that claims 2^50 items costs nothing', (_name, type) => {
    const schema = payment([
      { name: 'items', type },
      { name: 'id', type: 'string' },
    ]);
    const poison = record(Buffer.concat([zigzag(2n ** 50n), Buffer.from([2, 97])]));
    const decoders = AvroDecoders.plain({ writer: schema });
    expect(decoders.decoder(null).decode(poison, from)).toMatchObject({ reason: 'malformed' });
    expect(decoders.decoder(['id']).decode(poison, from)).toMatchObject({ reason: 'malformed' });
  });

  it('arrays are skipped by items and by length', () => {
    const schema = payment([
      { name: 'items', type: { type: 'array', items: 'string' } },
      { name: 'id', type: 'string' },
    ]);
    const decoder = AvroDecoders.plain({ writer: schema }).decoder(['id']);
    const byItems = encode(schema, { items: ['x', 'yy'], id: 'a' });
    expect(decoder.decode(record(byItems), from)).toMatchObject({ fields: { id: 'a' } });
    const byLength = Buffer.from([3, 10, 2, 120, 4, 121, 121, 0, 2, 97]);
    expect(decoder.decode(record(byLength), from)).toMatchObject({ fields: { id: 'a' } });
  });

  it('no bytes at all make it throw', () => {
    const schema = payment([
      { name: 'u', type: ['null', 'int', { type: 'array', items: 'string' }] },
      { name: 'e', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } },
      { name: 'm', type: { type: 'map', values: ['null', 'bytes'] } },
      { name: 'f', type: { type: 'fixed', name: 'F', size: 3 } },
      { name: 'd', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    ]);
    const decoders = AvroDecoders.plain({ writer: schema });
    const some = decoders.decoder(['e', 'd']);
    let seed = 7;
    for (let round = 0; round < 4_000; round++) {
      const random = Buffer.alloc(1 + (round % 24));
      for (let i = 0; i < random.length; i++) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        random[i] = (seed >>> 16) & (round % 2 === 0 ? 0xff : 0x0f);
      }
      for (const result of [some.decode(record(random), from), some.decodeWhole(random)]) expect(result).toBeDefined();
    }
  });
});
