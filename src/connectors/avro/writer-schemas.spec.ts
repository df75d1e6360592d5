import { DecodeFailure } from '../../runtime/ports/decoder.js';
import type { LogRecord } from '../../runtime/ports/log.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { confluentHeader } from './alert-codec.js';
import { AvroDecoders } from './decoder.js';
import type { AvroSchema } from './schema.js';
import { type RegisteredSchema, RegistryError } from './schema-registry.js';

const from = { topic: 'transactions', partition: 0 };
const schema = (name: string): AvroSchema => ({ type: 'record', name, fields: [{ name: 'a', type: 'int' }] });
/** A record of `schema` with a = 1. */
const record = (id: number): LogRecord => ({
  offset: 0,
  timestamp: 0,
  key: null,
  value: Buffer.concat([confluentHeader(id), Buffer.from([2])]),
  headers: null,
});
const unavailable = () => new RegistryError('REGISTRY_UNAVAILABLE', 'the registry is away');
const notFound = () => new RegistryError('REGISTRY_NOT_FOUND', 'no such schema');

/** A registry that answers what the test puts in; a missing answer is "not found". */
class FakeRegistry {
  readonly asked: number[] = [];
  readonly answers = new Map<number, RegisteredSchema | Error>();
  async schemaById(id: number): Promise<RegisteredSchema> {
    this.asked.push(id);
    const answer = this.answers.get(id) ?? notFound();
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

/** Lets everything that is ready happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('schemas by id', () => {
  let clock: ManualClock;
  let registry: FakeRegistry;
  let told: string[];
  let decoders: AvroDecoders;
  const signal = new AbortController().signal;

  beforeEach(() => {
    clock = new ManualClock();
    registry = new FakeRegistry();
    told = [];
    decoders = AvroDecoders.confluent({
      registry,
      clock,
      unknownForMs: 1_000,
      onTrouble: (error) => told.push(error.message),
      onRecovered: () => told.push('recovered'),
    });
    registry.answers.set(1, { schema: schema('One'), references: [] });
    registry.answers.set(2, { schema: schema('Two'), references: [] });
  });

  it('are asked for once, and then cost no promise, for new decoders too', async () => {
    const decoder = decoders.decoder(null);
    await decoder.prepare([record(1), record(2), record(1)], signal);
    expect(registry.asked).toEqual([1, 2]);
    expect(decoder.prepare([record(1), record(2)], signal)).toBeUndefined();
    const other = decoders.decoder(['a']);
    expect(other.prepare([record(2)], signal)).toBeUndefined();
    expect(decoder.decode(record(2), from)).toEqual({ recordName: 'Two', fields: { a: 1 } });
    expect(other.decode(record(1), from)).toEqual({ recordName: 'One', fields: { a: 1 } });
    expect(other.decodeWhole(record(1).value!)).toEqual({ a: 1 });
  });

  it('are asked for once by several that wait at the same time', async () => {
    const [a, b] = [decoders.decoder(null), decoders.decoder(null)];
    await Promise.all([a.prepare([record(1)], signal), b.prepare([record(1)], signal)]);
    expect(registry.asked).toEqual([1]);
  });

  it('that the registry does not know are asked for again after a while', async () => {
    const decoder = decoders.decoder(null);
    await decoder.prepare([record(7)], signal);
    expect(decoder.decode(record(7), from)).toEqual(
      new DecodeFailure('unknown-schema-id', 'the registry has no schema with id 7'),
    );
    expect(decoder.prepare([record(7)], signal)).toBeUndefined();
    registry.answers.set(7, { schema: schema('Seven'), references: [] });
    clock.advance(1_000);
    await decoder.prepare([record(7)], signal);
    expect(decoder.decode(record(7), from)).toMatchObject({ recordName: 'Seven' });
    expect(told).toEqual([]);
  });

  it('are waited for while the registry is away, and no record is blamed', async () => {
    registry.answers.set(1, unavailable());
    const decoder = decoders.decoder(null);
    let prepared = false;
    const preparing = decoder.prepare([record(1)], signal)?.then(() => {
      prepared = true;
    });
    for (let i = 0; i < 4; i++) {
      await settle();
      clock.advance(5_000);
    }
    await settle();
    expect(registry.asked.length).toBeGreaterThan(3);
    expect([prepared, told]).toEqual([false, ['the registry is away']]);
    registry.answers.set(1, { schema: schema('One'), references: [] });
    clock.advance(5_000);
    await preparing;
    expect(told).toEqual(['the registry is away', 'recovered']);
    expect(decoder.decode(record(1), from)).toMatchObject({ recordName: 'One' });
  });

  it('are not waited for any more once the signal aborts, while another goes on waiting', async () => {
    registry.answers.set(1, unavailable());
    const stopping = new AbortController();
    const first = decoders.decoder(null).prepare([record(1)], stopping.signal);
    const second = decoders.decoder(null).prepare([record(1)], signal);
    await settle();
    stopping.abort(new Error('stopping'));
    await expect(first).rejects.toThrow('stopping');
    registry.answers.set(1, { schema: schema('One'), references: [] });
    await settle();
    clock.advance(5_000);
    await second;
  });

  it('that do not hold, or are not Avro, fail their records and nothing else', async () => {
    registry.answers.set(3, { schema: 'string', references: [] });
    registry.answers.set(4, new RegistryError('REGISTRY_NOT_AVRO', 'schema 4 is PROTOBUF, not AVRO'));
    const decoder = decoders.decoder(null);
    await decoder.prepare([record(3), record(4), record(1)], signal);
    expect(decoder.decode(record(3), from)).toMatchObject({ reason: 'incompatible-schema' });
    expect(decoder.decode(record(4), from)).toMatchObject({
      reason: 'incompatible-schema',
      detail: 'schema id 4: schema 4 is PROTOBUF, not AVRO',
    });
    expect(decoder.decode(record(1), from)).toMatchObject({ recordName: 'One' });
  });

  it('take part in reading with the definitions that they refer to', async () => {
    const withReference: AvroSchema = { type: 'record', name: 'P', fields: [{ name: 'one', type: 'One' }] };
    registry.answers.set(5, { schema: withReference, references: [schema('One')] });
    const decoder = decoders.decoder(null);
    await decoder.prepare([record(5)], signal);
    expect(decoder.decode(record(5), from)).toEqual({ recordName: 'P', fields: { one: { a: 1 } } });
  });

  it('are missing from values without the header', () => {
    const decoder = decoders.decoder(null);
    const bare = (bytes: number[]): LogRecord => ({ ...record(1), value: Buffer.from(bytes) });
    expect(decoder.decode(bare([0, 0, 1]), from)).toEqual(
      new DecodeFailure('not-confluent-framed', "the value has 3 bytes, fewer than the header's 5"),
    );
    expect(decoder.decode(bare([123, 34, 97, 34, 58, 49]), from)).toEqual(
      new DecodeFailure('not-confluent-framed', 'the value begins with byte 123, not 0'),
    );
    expect(decoder.decode({ ...record(1), value: null }, from)).toMatchObject({ reason: 'empty-value' });
    expect(decoder.prepare([bare([1]), { ...record(1), value: null }], signal)).toBeUndefined();
  });

  it('that were never prepared fail rather than throw', () => {
    expect(decoders.decoder(null).decode(record(1), from)).toMatchObject({ reason: 'unknown-schema-id' });
    expect(decoders.decoder(null).decodeWhole(record(1).value!)).toMatchObject({ reason: 'unknown-schema-id' });
  });
});
