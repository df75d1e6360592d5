import avsc from 'avsc';
import { canonicalJson } from '../../engine/index.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { AlertCodec, alertSchema } from './alert-codec.js';
import { type AvroObject, namedTypes } from './schema.js';

interface AvroField {
  readonly name: string;
}

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

  it('gives back what conditions read at its events', () => {
    const codec = new AlertCodec();
    const values = { amount: 12.5, 'avg(large.amount)': 3, "list('home', accountId)": 'DE', known: false, usual: null };
    const [first, second] = alert.steps;
    const told = { ...alert, steps: [{ ...first!, events: [{ ...event, values }] }, second!] };
    expect(codec.decode(codec.encode(told))).toStrictEqual(told);
  });

  const features = { usual: 12.5, home: 'DE', before: null };
  it.each([
    ['their events had values', { AlertEvent: 'values' }, { ...alert, features }],
    ['their events had values, without features', { AlertEvent: 'values' }, alert],
    ['they had features', { AlertEvent: 'values', Alert: 'features' }, alert],
  ])('reads alerts from before %s', (_, lacking: Record<string, string>, written: Alert) => {
    const schema = JSON.parse(JSON.stringify(alertSchema), (_key, part) => {
      const field = part?.type === 'record' ? lacking[part.name] : undefined;
      return field === undefined ? part : { ...part, fields: part.fields.filter((f: AvroField) => f.name !== field) };
    });
    const before = avsc.Type.forSchema(schema);
    const steps = alert.steps.map(({ step, events }) => ({
      step,
      events: events.map((e) => ({ ...e, fields: canonicalJson(e.fields) })),
    }));
    const bytes = before.toBuffer({ features: null, ...written, steps });
    expect(new AlertCodec().decode(bytes)).toStrictEqual(written);
  });

  it('can be read by those who know the schema from before, and they read what is new', () => {
    const before = avsc.Type.forSchema(
      JSON.parse(JSON.stringify(alertSchema), (_key, part) =>
        part?.name === 'AlertEvent'
          ? { ...part, fields: part.fields.filter((f: AvroField) => f.name !== 'values') }
          : part,
      ),
    );
    const now = avsc.Type.forSchema(alertSchema as never);
    const bytes = new AlertCodec().encode(alert);
    expect(before.fromBuffer(bytes, before.createResolver(now))).toMatchObject({ id: alert.id });
    const old = before.fromBuffer(bytes, before.createResolver(now));
    expect(now.fromBuffer(before.toBuffer(old), now.createResolver(before))).toMatchObject({
      steps: [{ events: [{ values: null }] }, { step: 'offshore' }],
    });
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
    const [first, second] = alert.steps;
    const steps = [{ ...first!, events: [{ ...event, values: { a: 1, b: 'x' } }] }, second!];
    const told: Alert = { ...alert, steps, features: { a: 1, b: 'x' } };
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
