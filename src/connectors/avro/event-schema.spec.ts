import { eventSchemaOf } from './event-schema.js';
import { type AvroSchema, readAvroSchema } from './schema.js';

const transaction = readAvroSchema(new URL('../../../schemas/transaction.avsc', import.meta.url));

describe('the event schema of an Avro schema', () => {
  it('knows types, options and documentation', () => {
    const { fields, stream } = eventSchemaOf(transaction, { stream: 'transactions', type: 'type' });
    expect(stream).toBe('transactions');
    expect(fields.get('amount')).toMatchObject({ type: 'number', optional: false });
    expect(fields.get('eventTime')).toMatchObject({ type: 'number', optional: false });
    expect(fields.get('counterparty')).toEqual({
      name: 'counterparty',
      type: 'string',
      optional: true,
      doc: 'Account on the other side of a transfer.',
    });
  });

  it('takes kinds from the symbols of the type field', () => {
    const { kinds, kindParents } = eventSchemaOf(transaction, {
      stream: 's',
      type: 'type',
      subtypes: { Withdrawal: 'Debit', Transfer: 'Debit' },
    });
    expect(kinds?.has('Withdrawal')).toBe(true);
    expect(kinds?.has('Debit')).toBe(true);
    expect(kinds?.has('Wire')).toBe(false);
    expect(kindParents.get('Transfer')).toBe('Debit');
  });

  it('leaves kinds open where the type field is plain text', () => {
    expect(eventSchemaOf(transaction, { stream: 's', type: 'channel' }).kinds).toBeNull();
  });

  it('puts the records of a union together', () => {
    const money = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 };
    const union = [
      {
        type: 'record',
        name: 'Deposit',
        namespace: 'a',
        fields: [
          { name: 'amount', type: money },
          { name: 'x', type: 'int' },
        ],
      },
      {
        type: 'record',
        name: 'Withdrawal',
        namespace: 'a',
        fields: [
          { name: 'amount', type: 'double' },
          { name: 'x', type: 'string' },
          { name: 'atm', type: ['null', { type: 'enum', name: 'Atm', symbols: ['IN', 'OUT'] }] },
          { name: 'other', type: 'Atm' },
          { name: 'tags', type: { type: 'array', items: 'string' } },
        ],
      },
    ] as unknown as AvroSchema;
    const { fields, kinds } = eventSchemaOf(union, { stream: 's' });
    expect([...kinds!]).toEqual(['Deposit', 'Withdrawal']);
    expect(Object.fromEntries([...fields].map(([name, f]) => [name, [f.type, f.optional]]))).toEqual({
      amount: ['number', false],
      x: ['other', false],
      atm: ['string', true],
      other: ['string', true],
      tags: ['other', true],
    });
    expect(fields.get('atm')?.symbols).toEqual(['IN', 'OUT']);
    expect(fields.get('other')?.symbols).toEqual(['IN', 'OUT']);
  });
});
