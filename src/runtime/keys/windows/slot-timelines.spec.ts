import fc from 'fast-check';
import {
  ByteReader,
  ByteWriter,
  cellValue,
  compileFeatures,
  decodeFeatures,
  type EngineEvent,
  encodeFeatures,
  type Feature,
  type FeatureCell,
  type FeatureSet,
  type FeatureState,
  FeatureTable,
  field,
  gt,
  mapWindows,
  readFeatures,
  type Scalar,
  updateFeatures,
} from '../../../engine/index.js';
import { KeyWindows } from './key-windows.js';

type Value = Scalar | undefined;

interface Run {
  readonly set: FeatureSet;
  readonly cells: readonly FeatureCell[];
}

function compile(features: readonly Feature[]): Run {
  const table = new FeatureTable();
  const cells = features.map((feature) => table.cell(feature));
  return { set: compileFeatures(cells), cells };
}

function windowsOf({ set }: Run): KeyWindows {
  const windows = new KeyWindows(set);
  windows.reserve(3);
  return windows;
}

const event = (time: number, fields: Record<string, unknown> = {}): EngineEvent => ({
  time,
  seq: time,
  kind: '',
  fields,
});

const valuesOf = ({ cells }: Run): Value[] => cells.map(cellValue);

function bytesOf({ set }: Run, state: FeatureState | undefined): Uint8Array {
  const out = new ByteWriter();
  encodeFeatures(out, set, state);
  return out.finish();
}

const stateFrom = ({ set }: Run, bytes: Uint8Array): FeatureState | undefined =>
  decodeFeatures(new ByteReader(bytes), set, mapWindows(set, set.windowIds));

/** From the events themselves, amounts in whole cents. `present`: the newest event is the one under test. */
function naive(feature: Feature, events: readonly EngineEvent[], time: number, present: boolean): Value {
  const { fn, overMs, lagMs = 0, where } = feature;
  const counts = (e: EngineEvent): boolean => where === undefined || (e.fields.amount as number) > 100;
  const inside = events.filter((e) => counts(e) && e.time >= time - lagMs - overMs && e.time <= time - lagMs);
  const values = inside
    .map((e) => e.fields[feature.field ?? ''] as Value | null)
    .filter((x) => x !== undefined && x !== null)
    .map((x) => (x === 0 ? 0 : x));
  const cents = values.filter((x) => typeof x === 'number').map((x) => Math.round(x * 100));
  const sum = cents.reduce((a, b) => a + b, 0);
  const mean = sum / cents.length;
  switch (fn) {
    case 'count':
      return inside.length;
    case 'since': {
      const isTaken = present && counts(events.at(-1)!);
      const before = inside.at(isTaken ? -2 : -1);
      return before === undefined ? undefined : time - before.time;
    }
    case 'sum':
      return sum / 100;
    case 'distinct':
      return new Set(values).size;
    case 'first':
      return values[0];
    case 'last':
      return values.at(-1);
    case 'avg':
      return cents.length === 0 ? undefined : sum / 100 / cents.length;
    case 'min':
      return cents.length === 0 ? undefined : Math.min(...cents) / 100;
    case 'max':
      return cents.length === 0 ? undefined : Math.max(...cents) / 100;
    case 'stddev':
      if (cents.length === 0) return undefined;
      return Math.sqrt(cents.reduce((a, b) => a + (b - mean) ** 2, 0) / cents.length) / 100;
    default:
      return quantile(
        [...cents].sort((a, b) => a - b),
        feature.q ?? 0.5,
      );
  }
}

function quantile(sorted: readonly number[], q: number): Value {
  if (sorted.length === 0) return undefined;
  const rank = (sorted.length - 1) * q;
  const [below, above] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return (below + (above - below) * (rank - Math.floor(rank))) / 100;
}

function expectValues(run: Run, values: readonly Value[], expected: readonly Value[]): void {
  run.cells.forEach(({ feature }, i) => {
    const [value, wanted] = [values[i], expected[i]];
    const isNear =
      feature.fn === 'stddev' && typeof value === 'number' && Math.abs(value - (wanted as number)) <= 1e-9 * value;
    if (!isNear) expect([feature, value]).toEqual([feature, wanted]);
  });
}

const FIELDLESS: readonly string[] = ['count', 'since'];
const NUMERIC: readonly string[] = ['sum', 'avg', 'min', 'max', 'stddev', 'median', 'quantile'];
const anyFeature = fc
  .record({
    fn: fc.constantFrom(...NUMERIC, 'distinct', 'first', 'last', ...FIELDLESS) as fc.Arbitrary<Feature['fn']>,
    field: fc.constantFrom('amount', 'place'),
    q: fc.constantFrom(0, 0.05, 0.25, 0.95, 1),
    overMs: fc.constantFrom(0, 20, 60),
    lagMs: fc.constantFrom(undefined, 1, 15, 70),
    where: fc.constantFrom(undefined, gt(field('amount'), 100)),
  })
  .map(
    ({ fn, field, q, overMs, lagMs, where }): Feature => ({
      fn,
      overMs,
      ...(FIELDLESS.includes(fn) ? {} : { field }),
      ...(fn === 'quantile' ? { q } : {}),
      ...(lagMs === undefined || fn === 'since' ? {} : { lagMs }),
      ...(where === undefined ? {} : { where }),
    }),
  );
const asked = fc.array(anyFeature, { minLength: 1, maxLength: 8 });

const money = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -300, max: 50_000 }).map((cents) => cents / 100) },
  { weight: 2, arbitrary: fc.constantFrom(1, 2, 0, -0) },
  fc.constantFrom(undefined, null),
);
const place = fc.oneof(
  fc.constantFrom('KY', 'DE', '', 'a long name of a place, as nobody would write it', 'ö\u2028'),
  fc.constantFrom(undefined, null, true, false),
  money,
);
const stepsOf = (amount: fc.Arbitrary<unknown>) =>
  fc.array(
    fc.record({
      slot: fc.nat(2),
      wait: fc.oneof(fc.nat(2), fc.nat(6), fc.nat(90)),
      fields: fc.record({ amount, place }),
      next: fc.oneof(
        { weight: 5, arbitrary: fc.constant('go on' as const) },
        fc.constantFrom('reload', 'read', 'forget'),
      ),
    }),
    { maxLength: 120 },
  );

describe('features over timelines', () => {
  it('are what the events themselves give, at each event, at later times, and as states that never change', () => {
    const property = fc.property(asked, stepsOf(money), (wanted, steps) => {
      const run = compile(wanted);
      const windows = windowsOf(run);
      const copies = windowsOf(run);
      const past: EngineEvent[][] = [[], [], []];
      const states: (FeatureState | undefined)[] = [undefined, undefined, undefined];
      const expected = (slot: number, time: number, present: boolean): Value[] =>
        run.cells.map(({ feature }) => naive(feature, past[slot]!, time, present));
      let time = 0;
      for (const { slot, wait, fields, next } of steps) {
        time += wait;
        const e = event(time, fields);
        past[slot]!.push(e);
        windows.add(slot, e);
        expectValues(run, valuesOf(run), expected(slot, time, true));
        states[slot] = updateFeatures(run.set, states[slot], e);
        readFeatures(run.set, states[slot], time, e);
        expectValues(run, valuesOf(run), expected(slot, time, true));

        copies.put(slot, windows.state(slot));
        for (const later of [0, 7, 30, 100]) {
          copies.read(slot, time + later);
          expectValues(run, valuesOf(run), expected(slot, time + later, false));
          readFeatures(run.set, states[slot], time + later);
          expectValues(run, valuesOf(run), expected(slot, time + later, false));
        }

        if (next === 'read') {
          time += wait;
          windows.read(slot, time);
          expectValues(run, valuesOf(run), expected(slot, time, false));
        } else if (next === 'reload') {
          windows.put(slot, stateFrom(run, bytesOf(run, windows.state(slot))));
          states[slot] = stateFrom(run, bytesOf(run, states[slot]));
        } else if (next === 'forget') {
          windows.delete(slot);
          states[slot] = undefined;
          past[slot] = [];
        }
      }
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('go on from their bytes exactly as from what was written, whatever the numbers', () => {
    const anything = fc.oneof(money, fc.double(), fc.constantFrom(1e290, 1e300, 1e-300, 2 ** 52, 1 / 3));
    const property = fc.property(asked, stepsOf(anything), (wanted, steps) => {
      const run = compile(wanted);
      const [windows, reloaded] = [windowsOf(run), windowsOf(run)];
      let time = 0;
      for (const { slot, wait, fields, next } of steps) {
        time += wait;
        windows.add(slot, event(time, fields));
        const values = valuesOf(run);
        reloaded.add(slot, event(time, fields));
        expect(valuesOf(run)).toEqual(values);
        const bytes = bytesOf(run, windows.state(slot));
        expect(bytesOf(run, reloaded.state(slot))).toEqual(bytes);
        if (next === 'reload') reloaded.put(slot, stateFrom(run, bytes));
        if (next !== 'read') continue;
        time += wait;
        windows.read(slot, time);
        reloaded.read(slot, time);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('hold each text once, and none when no event has it', () => {
    const run = compile([{ fn: 'distinct', field: 'place', overMs: 10 }]);
    const windows = windowsOf(run);
    const before = windows.bytes;
    for (let time = 0; time < 200_000; time++) windows.add(time % 3, event(time, { place: `place ${time}` }));
    expect(run.cells[0]!.value).toBe(4);
    expect(windows.bytes - before).toBeLessThan(100_000);
  });

  it('keep one ring for windows of several lengths and delays', () => {
    const sums = [1, 7, 28].map((days): Feature => ({ fn: 'sum', field: 'amount', overMs: days * 1000 }));
    const run = compile([...sums, { ...sums[1]!, lagMs: 7000 }]);
    expect(run.set.windows).toHaveLength(1);
    const windows = windowsOf(run);
    for (let i = 0; i < 28_000; i++) windows.add(0, event(i, { amount: 1 }));
    expect(valuesOf(run)).toEqual([1001, 7001, 28_000, 7001]);
    // 16 bytes a row, and room for as many again at most.
    expect(windows.heldBytes).toBeLessThan(28_000 * 16 * 2);
  });

  it('take texts and numbers of one field apart', () => {
    const run = compile(
      (['distinct', 'median', 'sum', 'max', 'last'] as const).map((fn) => ({ fn, field: 'place', overMs: 99 })),
    );
    const windows = windowsOf(run);
    for (const value of ['x', true, 3, false, 1, 'x', 'y']) windows.add(0, event(1, { place: value }));
    expect(valuesOf(run)).toEqual([6, 2, 4, 3, 'y']);
  });
});
