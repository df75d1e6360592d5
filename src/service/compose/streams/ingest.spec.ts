import { AvroDecoders } from '../../../connectors/avro/decoder.js';
import { type AvroSchema, readAvroSchema } from '../../../connectors/avro/schema.js';
import type { StreamSettings } from '../../../runtime/settings/index.js';
import { shippedSchema } from '../../../runtime/settings/index.js';
import { someSettings } from '../../testing/a-service.js';
import { streamIngest } from './ingest.js';

const avro = readAvroSchema(shippedSchema);
const stream = someSettings().streams.transactions as StreamSettings;
const sent = {
  transactionId: 't1',
  accountId: 'acc-1',
  eventTime: '2026-01-31T10:00:00Z',
  type: 'Payment',
  amount: 12,
};

async function ready(...args: Parameters<typeof streamIngest>) {
  const ingest = streamIngest(...args);
  if (ingest === null) throw new Error('no ingest');
  await ingest.prepare();
  return ingest;
}

const text = (bytes: Uint8Array | null | undefined) => new TextDecoder().decode(bytes ?? undefined);

describe('streamIngest', () => {
  it('writes plain Avro that the stream reads, keyed by its key field', async () => {
    const result = (await ready(stream, avro, null)).encode(sent);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect([result.transaction.id, text(result.transaction.key)]).toEqual(['t1', 'acc-1']);
    const decoder = AvroDecoders.plain({ writer: avro }).decoder(new Set(['amount']));
    const whole = decoder.decodeWhole(result.transaction.value);
    expect(whole).toMatchObject({ transactionId: 't1', amount: 12, currency: 'EUR' });
  });

  it("registers the schema once, and frames values in Confluent's format", async () => {
    const subjects: string[] = [];
    const registry = {
      register: async (subject: string) => {
        subjects.push(subject);
        return 7;
      },
    };
    const ingest = await ready({ ...stream, format: 'avro-confluent' }, avro, registry);
    await ingest.prepare();
    const result = ingest.encode(sent);
    expect(subjects).toEqual(['transactions-value']);
    expect(result.ok && [...result.transaction.value.subarray(0, 5)]).toEqual([0, 0, 0, 0, 7]);
  });

  it('asks the registry again after it was away', async () => {
    let away = true;
    const registry = { register: async () => (away ? Promise.reject(new Error('away')) : 7) };
    const ingest = streamIngest({ ...stream, format: 'avro-confluent' }, avro, registry);
    await expect(ingest?.prepare()).rejects.toThrow('away');
    away = false;
    await ingest?.prepare();
    expect(ingest?.encode(sent).ok).toBe(true);
  });

  it('says all that is wrong, each thing once', async () => {
    const result = (await ready(stream, avro, null)).encode({
      transactionId: 't1',
      eventTime: 'soon',
      type: 'Payment',
    });
    expect(result.ok ? [] : result.problems.map(({ path }) => path)).toEqual(['accountId', 'eventTime']);
  });

  it('wants the fields that detection needs even where the schema lets them be null', async () => {
    const nullable: AvroSchema = {
      type: 'record',
      name: 'R',
      fields: [{ name: 'accountId', type: ['null', 'string'], default: null }],
    };
    const named = { ...stream, time: undefined, id: undefined };
    const result = (await ready(named, nullable, null)).encode({});
    expect(result).toMatchObject({ ok: false, problems: [{ path: 'accountId', got: 'nothing' }] });
  });

  it('finds the key in a branch of a union, named or not', async () => {
    const union: AvroSchema = [
      { type: 'record', name: 'Login', fields: [{ name: 'accountId', type: 'string' }] },
      {
        type: 'record',
        name: 'Payment',
        fields: [
          { name: 'accountId', type: 'string' },
          { name: 'sum', type: 'int' },
        ],
      },
    ];
    const ingest = await ready({ ...stream, time: undefined, id: undefined }, union, null);
    for (const input of [{ accountId: 'a', sum: 1 }, { Payment: { accountId: 'a', sum: 1 } }]) {
      const result = ingest.encode(input);
      expect(result.ok && text(result.transaction.key)).toBe('a');
    }
  });

  it('writes JSON to a stream of JSON', async () => {
    const ingest = await ready({ ...stream, format: 'ndjson' }, null, null);
    const result = ingest.encode(sent);
    expect(result.ok && JSON.parse(text(result.transaction.value))).toEqual(sent);
    expect(ingest.encode([1])).toMatchObject({ ok: false, problems: [{ path: '', expected: 'an object' }] });
  });

  it('is none for several topics, or for Avro without a schema', () => {
    expect(streamIngest({ ...stream, topic: undefined }, avro, null)).toBeNull();
    expect(streamIngest({ ...stream, format: 'avro-confluent' }, null, { register: async () => 1 })).toBeNull();
  });
});
