import { randomUUID } from 'node:crypto';
import avsc from 'avsc';
import { alertSchema, confluentHeader } from '../../src/connectors/avro/alert-codec.js';
import { AvroDecoders } from '../../src/connectors/avro/decoder.js';
import type { AvroSchema } from '../../src/connectors/avro/schema.js';
import { SchemaRegistry } from '../../src/connectors/avro/schema-registry.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { systemClock } from '../../src/connectors/system-clock.js';
import { sharedRegistry } from '../harness/servers/index.js';

const from = { topic: 'payments', partition: 0 };
const record = (value: Uint8Array) => ({ offset: 0, timestamp: 0, key: null, value, headers: null });
const signal = new AbortController().signal;

function payment(...fields: object[]): AvroSchema {
  return { type: 'record', name: 'Payment', namespace: 'shop', fields } as unknown as AvroSchema;
}
const id = { name: 'id', type: 'string' };
const amount = { name: 'amount', type: 'double' };

describe('a schema registry', () => {
  let registry: SchemaRegistry;
  let url: string;
  let subject: string;

  beforeAll(async () => {
    url = await sharedRegistry();
    registry = new SchemaRegistry({ url, timeoutMs: 20_000 });
  });
  beforeEach(() => {
    subject = `payments-${randomUUID()}-value`;
  });

  it('gives the same schema the same id', async () => {
    const first = await registry.register(subject, payment(id, amount));
    expect(await registry.register(subject, payment(id, amount))).toBe(first);
    expect(await registry.latest(subject)).toMatchObject({ id: first, schema: payment(id, amount) });
  });

  it('takes the schemas that ship', async () => {
    const registered = await registry.register(subject, alertSchema);
    expect((await registry.schemaById(registered)).schema).toMatchObject({ name: 'Alert' });
  });

  it('says why it does not take an incompatible schema', async () => {
    await registry.register(subject, payment(id, amount));
    const rule = {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"compatibility":"BACKWARD"}',
    };
    expect((await fetch(`${url}/config/${encodeURIComponent(subject)}`, rule)).ok).toBe(true);
    const refused = registry.register(subject, payment(id, amount, { name: 'country', type: 'string' }));
    await expect(refused).rejects.toMatchObject({
      code: 'REGISTRY_INCOMPATIBLE',
      message: expect.stringMatching(/gave 409: .+/s),
    });
  });

  it('says that it has no such schema or subject', async () => {
    await expect(registry.schemaById(2_000_000_000)).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
    await expect(registry.latest(subject)).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
  });

  it('lets records of two versions of a writer be read as one', async () => {
    const older = payment(id, amount);
    const newer = payment({ name: 'country', type: 'string', default: '' }, amount, id);
    const [olderId, newerId] = [await registry.register(subject, older), await registry.register(subject, newer)];
    expect(newerId).not.toBe(olderId);
    const framed = (schema: AvroSchema, schemaId: number, value: object) =>
      record(Buffer.concat([confluentHeader(schemaId), avsc.Type.forSchema(schema as never).toBuffer(value)]));
    const written = new TransactionEncoder(newer, { registryId: newerId }).encode({
      id: 'c',
      amount: 3,
      country: 'BE',
    });
    const records = [
      framed(older, olderId, { id: 'a', amount: 1 }),
      framed(newer, newerId, { id: 'b', amount: 2, country: 'NL' }),
      record(written.ok ? written.bytes : Buffer.alloc(0)),
      framed(older, 2_000_000_000, { id: 'd', amount: 4 }),
    ];
    const reader = payment(id, { name: 'value', type: 'double', aliases: ['amount'] });
    const decoder = AvroDecoders.confluent({ registry, clock: systemClock, reader }).decoder(['id', 'value']);
    await decoder.prepare(records, signal);
    expect(records.map((each) => decoder.decode(each, from))).toEqual([
      { recordName: 'Payment', fields: { id: 'a', value: 1 } },
      { recordName: 'Payment', fields: { id: 'b', value: 2 } },
      { recordName: 'Payment', fields: { id: 'c', value: 3 } },
      { reason: 'unknown-schema-id', detail: 'the registry has no schema with id 2000000000' },
    ]);
    expect(decoder.prepare(records, signal)).toBeUndefined();
  });

  it('keeps definitions that other schemas refer to', async () => {
    const money: AvroSchema = {
      type: 'record',
      name: 'Money',
      namespace: 'shop',
      fields: [{ name: 'cents', type: 'long' }],
    };
    await registry.register(`${subject}-money`, money);
    const schema = payment(id, { name: 'price', type: 'shop.Money' });
    const body = {
      schema: JSON.stringify(schema),
      references: [{ name: 'shop.Money', subject: `${subject}-money`, version: 1 }],
    };
    const response = await fetch(`${url}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify(body),
    });
    const { id: schemaId } = (await response.json()) as { id: number };
    const decoder = AvroDecoders.confluent({ registry, clock: systemClock }).decoder(null);
    const value = record(Buffer.concat([confluentHeader(schemaId), Buffer.from([2, 97, 10])]));
    await decoder.prepare([value], signal);
    expect(decoder.decode(value, from)).toEqual({ recordName: 'Payment', fields: { id: 'a', price: { cents: 5 } } });
  });
});
