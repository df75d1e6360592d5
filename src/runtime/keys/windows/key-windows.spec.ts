import fc from 'fast-check';
import {
  ByteReader,
  ByteWriter,
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
  takes,
  updateFeatures,
} from '../../../engine/index.js';
import { dice } from '../../testing/dice.js';
import { KeyWindows } from './key-windows.js';

interface Run {
  readonly set: FeatureSet;
  readonly cells: readonly FeatureCell[];
  readonly windows: KeyWindows;
}

function compile(features: readonly Feature[], slots = 8): Run {
  const table = new FeatureTable();
  const cells = features.map((feature) => table.cell(feature));
  const set = compileFeatures(cells);
  const windows = new KeyWindows(set);
  windows.reserve(slots);
  return { set, cells, windows };
}

const event = (time: number, fields: Record<string, unknown> = {}): EngineEvent => ({
  time,
  seq: time,
  kind: '',
  fields,
});

function valuesAt({ windows, cells }: Run, slot: number, time: number): number[] {
  for (const cell of cells) cell.value = 12_345;
  windows.read(slot, time);
  return cells.map((cell) => cell.value);
}

function statesValues({ set, cells }: Run, state: FeatureState | undefined, time: number): number[] {
  readFeatures(set, state, time);
  return cells.map((cell) => cell.value);
}

function bytesOf({ set }: Run, state: FeatureState | undefined): string {
  const out = new ByteWriter();
  encodeFeatures(out, set, state);
  return Buffer.from(out.finish()).toString('hex');
}

function stateFrom({ set }: Run, hex: string): FeatureState | undefined {
  return decodeFeatures(new ByteReader(Buffer.from(hex, 'hex')), set, mapWindows(set, set.windowIds));
}

/** From the events themselves, in whole cents. */
function naive({ fn, field, overMs, where }: Feature, events: readonly EngineEvent[], time: number): number {
  const inside = events.filter(
    (e) => e.time >= time - overMs && (where === undefined || (e.fields.amount as number) > 100),
  );
  const cents = inside
    .map((e) => e.fields[field ?? ''])
    .filter((x) => typeof x === 'number')
    .map((x) => Math.round(x * 100));
  const sum = cents.reduce((a, b) => a + b, 0);
  switch (fn) {
    case 'count':
      return inside.length;
    case 'sum':
      return sum / 100;
    case 'avg':
      return sum / 100 / cents.length;
    case 'min':
      return cents.length === 0 ? Number.NaN : Math.min(...cents) / 100;
    case 'max':
      return cents.length === 0 ? Number.NaN : Math.max(...cents) / 100;
    default:
      throw new Error(fn);
  }
}

const features = fc
  .record({
    fn: fc.constantFrom('count' as const, 'sum' as const, 'avg' as const, 'min' as const, 'max' as const),
    field: fc.constantFrom('amount', 'other'),
    overMs: fc.constantFrom(0, 20, 60),
    where: fc.constantFrom(undefined, gt(field('amount'), 100)),
  })
  .map(
    ({ fn, field, overMs, where }): Feature => ({
      fn,
      overMs,
      ...(fn === 'count' ? {} : { field }),
      ...(where === undefined ? {} : { where }),
    }),
  );
const asked = fc.array(features, { minLength: 1, maxLength: 6 });
/** Over one length, so that none needs a timeline, whose values cannot be those of states to the last bit where sums are not exact. */
const alike = asked.map((all): Feature[] => all.map((feature) => ({ ...feature, overMs: all[0]!.overMs })));

const money = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -50_000, max: 50_000 }).map((cents) => cents / 100) },
  fc.constantFrom(undefined, null, 'x'),
);
const anything = fc.oneof(money, fc.double(), fc.constantFrom(-0, 1e290, 1e300, 1e-300, 2 ** 52));

const stepsOf = (amount: fc.Arbitrary<unknown>) =>
  fc.array(
    fc.record({
      slot: fc.nat(2),
      wait: fc.oneof(fc.nat(2), fc.nat(6), fc.nat(80)),
      fields: fc.record({ amount, other: amount }),
      next: fc.oneof({ weight: 8, arbitrary: fc.constant('go on' as const) }, fc.constantFrom('reload', 'forget')),
    }),
    { maxLength: 150 },
  );

describe('windows by slot', () => {
  it('give what the events themselves give, at each event and later', () => {
    fc.assert(
      fc.property(asked, stepsOf(money), (wanted, steps) => {
        const run = compile(wanted);
        const copy = { ...run, windows: new KeyWindows(run.set) };
        copy.windows.reserve(3);
        const past: EngineEvent[][] = [[], [], []];
        let time = 0;
        for (const { slot, wait, fields } of steps) {
          time += wait;
          past[slot]!.push(event(time, fields));
          run.windows.add(slot, past[slot]!.at(-1)!);
          for (const any of [slot, (slot + 1) % 3]) {
            expect(valuesAt(run, any, time)).toEqual(run.cells.map((cell) => naive(cell.feature, past[any]!, time)));
            copy.windows.put(any, run.windows.state(any));
            for (const later of [0, 7, 30, 100]) {
              const expected = run.cells.map((cell) => naive(cell.feature, past[any]!, time + later));
              expect(valuesAt(copy, any, time + later)).toEqual(expected);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are the very same as states that never change, in their values and in their bytes, to bytes and back', () => {
    fc.assert(
      fc.property(alike, stepsOf(anything), (wanted, steps) => {
        const run = compile(wanted);
        const copy = { ...run, windows: new KeyWindows(run.set) };
        copy.windows.reserve(3);
        const states: (FeatureState | undefined)[] = [undefined, undefined, undefined];
        let time = 0;
        for (const { slot, wait, fields, next } of steps) {
          time += wait;
          states[slot] = updateFeatures(run.set, states[slot], event(time, fields));
          run.windows.add(slot, event(time, fields));
          const written = run.cells.map((cell) => cell.value);
          expect(written).toEqual(statesValues(run, states[slot], time));
          expect(run.windows.has(slot)).toBe(states[slot] !== undefined);
          const bytes = bytesOf(run, run.windows.state(slot));
          // A state still has what was too old already when an event came that it does not count.
          if (run.set.windows.every((window) => takes(window, event(time, fields)))) {
            expect(bytes).toBe(bytesOf(run, states[slot]));
          }
          copy.windows.put(slot, stateFrom(run, bytes));
          for (const later of [0, 7]) {
            expect(valuesAt(copy, slot, time + later)).toEqual(statesValues(run, states[slot], time + later));
          }
          if (next === 'reload') run.windows.put(slot, stateFrom(run, bytes));
          if (next !== 'forget') continue;
          run.windows.delete(slot);
          states[slot] = undefined;
          expect([run.windows.has(slot), run.windows.newest(slot)]).toEqual([false, Number.NEGATIVE_INFINITY]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are the same where times or values do not fit into half of the memory, from some event on', () => {
    const odd = fc.constantFrom(0.005, 21_474_836.48, -21_474_836.48, 2 ** 50, -0, undefined);
    const values = fc.oneof({ weight: 20, arbitrary: money }, fc.constantFrom(21_474_836.47, -21_474_836.47), odd);
    const waits = fc.oneof({ weight: 30, arbitrary: fc.nat(9) }, fc.constantFrom(0.5, 2 ** 31, 2 ** 32 - 1, 2 ** 33));
    const steps = fc.array(fc.record({ wait: waits, amount: values, other: values }), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.constantFrom(-5, 0, 1.7e12),
        fc.constantFrom(100, 2 ** 31 - 1, 2 ** 34),
        steps,
        (start, long, all) => {
          const run = compile([
            { fn: 'count', overMs: long },
            { fn: 'sum', field: 'amount', overMs: long },
            { fn: 'avg', field: 'other', overMs: long },
          ]);
          let state: FeatureState | undefined;
          let time = start;
          for (const { wait, amount, other } of all) {
            time += wait;
            const given = event(time, { amount, other });
            state = updateFeatures(run.set, state, given);
            run.windows.add(0, given);
            expect(run.cells.map((cell) => cell.value)).toEqual(statesValues(run, state, time));
            expect(bytesOf(run, run.windows.state(0))).toBe(bytesOf(run, state));
            expect(run.windows.newest(0)).toBe(time);
            const later = time + long - 5;
            const copy = { ...run, windows: new KeyWindows(run.set) };
            copy.windows.reserve(1);
            copy.windows.put(0, run.windows.state(0));
            expect(valuesAt(copy, 0, later)).toEqual(statesValues(run, state, later));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('can be made of a state that others have gone on from', () => {
    const run = compile([
      { fn: 'max', field: 'a', overMs: 10 },
      { fn: 'sum', field: 'a', overMs: 10 },
    ]);
    const first = updateFeatures(run.set, undefined, event(0, { a: 7 }));
    const early = updateFeatures(run.set, first, event(5, { a: 3 }));
    updateFeatures(run.set, early, event(11, { a: 100 }));
    run.windows.put(0, early);
    expect(valuesAt(run, 0, 5)).toEqual([7, 10]);
    run.windows.add(0, event(12, { a: 1 }));
    expect(valuesAt(run, 0, 12)).toEqual([3, 4]);
    expect(run.windows.newest(0)).toBe(12);
  });

  it('are copied when they are asked for: what comes later is not in the copy', () => {
    const run = compile([{ fn: 'sum', field: 'a', overMs: 10 }]);
    run.windows.add(0, event(0, { a: 7 }));
    const copy = run.windows.state(0);
    const bytes = bytesOf(run, copy);
    for (let time = 1; time < 40; time++) run.windows.add(0, event(time, { a: time }));
    expect(bytesOf(run, copy)).toBe(bytes);
    expect(statesValues(run, copy, 0)).toEqual([7]);
  });

  it('are nothing for a key without a slot', () => {
    const run = compile([
      { fn: 'count', overMs: 10 },
      { fn: 'max', field: 'a', overMs: 10 },
    ]);
    expect(valuesAt(run, -1, 5)).toEqual([0, Number.NaN]);
    expect(run.windows.state(3)).toBeUndefined();
  });

  it('take memory for the rows that they have, and give it back', () => {
    const slots = 3000;
    const run = compile([{ fn: 'sum', field: 'a', overMs: 100 }], slots);
    const random = dice(3);
    const fill = (from: number, rows: number): void => {
      for (let i = 0; i < rows; i++) {
        for (let slot = 0; slot < slots; slot++) run.windows.add(slot, event(from + i, { a: random(1000) }));
      }
    };
    fill(0, 90);
    // A row is 8 bytes; room for half as many more, and a third of waste.
    expect(run.windows.bytes).toBeLessThan(slots * (90 * 8 * 1.5 * 1.34 + 100) + 4_000_000);
    fill(1000, 3);
    expect(run.windows.bytes).toBeLessThan(slots * (16 * 8 * 1.34 + 100) + 4_000_000);
    for (let slot = 0; slot < slots; slot++) run.windows.delete(slot);
    expect(run.windows.heldBytes).toBe(0);
  });
});
