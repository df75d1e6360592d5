import avsc from 'avsc';
import { canonicalJson } from '../../engine/index.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { AlertCodec, alertSchema } from './alert-codec.js';
import { type AvroObject, namedTypes } from './schema.js';

const event = {
  id: 't1',
  eventTime: 1_700_000_000_000,
  kind: 'Payment',
  topic: 'transactions',
  partition: 3,
  offset: 9_007_199_254_740_000,
  fields: { b: 1.5, a: 'é', nested: { z: null, y: [1, { q: 1, p: 2 }] } },
};
const alert: Alert = {
  id: '0123456789abcdef0123456789abcdef',
  patternId: 'offshore-drain',
  title: 'Large payment, then offshore',
  revision: '0123456789abcdef',
  severity: 'critical',
  score: 87.5,
  key: 'acc-1',
  keyField: 'accountId',
  firstEventTime: 1_700_000_000_000,
  lastEventTime: 1_700_000_100_000,
  detectedAt: 1_700_000_100_000,
  message: '12,000 sent offshore – “quickly”',
  steps: [
    { step: 'large', events: [event] },
    {
      step: 'offshore',
      events: [
        { ...event, id: 't2' },
        { ...event, id: 't3', fields: {} },
      ],
    },
  ],
};

describe('the alert codec', () => {
  it('gives back the alert it wrote', () => {
    const codec = new AlertCodec();
    expect(codec.decode(codec.encode(alert))).toStrictEqual(alert);
  });

  it('gives back what features were', () => {
    const codec = new AlertCodec();
    const told = { ...alert, features: { usual: 12.5, places: 3, home: 'DE', known: false, before: null } };
    expect(codec.decode(codec.encode(told))).toStrictEqual(told);
  });

  it('reads alerts from before they had features', () => {
    const schema = { ...(alertSchema as AvroObject) } as unknown as { fields: { name: string }[] };
    const before = avsc.Type.forSchema({
      ...schema,
      fields: schema.fields.filter(({ name }) => name !== 'features'),
    } as never);
    const steps = alert.steps.map(({ step, events }) => ({
      step,
      events: events.map((e) => ({ ...e, fields: canonicalJson(e.fields) })),
    }));
    expect(new AlertCodec().decode(before.toBuffer({ ...alert, steps }))).toStrictEqual(alert);
  });

  it('gives the same bytes for the same alert, in whatever order it was made', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .map(([k, v]) => [k, reversed(v)])
          .reverse(),
      );
    };
    const codec = new AlertCodec();
    const told: Alert = { ...alert, features: { a: 1, b: 'x' } };
    expect(codec.encode(reversed(told) as Alert).equals(codec.encode(told))).toBe(true);
  });

  it('can be read by any Avro reader with the schema file', () => {
    const read = avsc.Type.forSchema(alertSchema as never).fromBuffer(new AlertCodec().encode(alert));
    expect(read).toMatchObject({ id: alert.id, severity: 'critical', score: 87.5 });
    expect(JSON.parse(read.steps[0].events[0].fields)).toEqual(event.fields);
  });

  it('frames alerts with the schema id of a registry', () => {
    const framed = new AlertCodec(258);
    const bytes = framed.encode(alert);
    expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 1, 2]);
    expect(framed.decode(bytes)).toStrictEqual(alert);
    expect(() => new AlertCodec(7).decode(bytes)).toThrow('The record has schema id 258; alerts have 7');
    expect(() => framed.decode(bytes.subarray(1))).toThrow(expect.objectContaining({ code: 'ALERT_UNREADABLE' }));
  });

  it('says so when the bytes are no alert', () => {
    const codec = new AlertCodec();
    const bytes = codec.encode(alert);
    expect(() => codec.decode(bytes.subarray(0, bytes.length - 2))).toThrow(
      expect.objectContaining({ code: 'ALERT_UNREADABLE' }),
    );
    expect(() => codec.decode(Buffer.concat([bytes, bytes]))).toThrow(
      expect.objectContaining({ code: 'ALERT_UNREADABLE' }),
    );
  });

  it('has documentation on every field and record of its schema', () => {
    for (const definition of namedTypes(alertSchema).values()) {
      expect([definition.name, definition.doc?.length ?? 0]).not.toContain(0);
      for (const field of (definition as AvroObject).fields ?? []) {
        expect([definition.name, field.name, field.doc?.length ?? 0]).not.toContain(0);
      }
    }
  });
});

describe('canonical JSON', () => {
  it('sorts the names of every object', () => {
    expect(canonicalJson({ b: { d: 1, c: [{ f: 1, e: 2 }] }, a: null })).toBe(
      '{"a":null,"b":{"c":[{"e":2,"f":1}],"d":1}}',
    );
  });
});
