import fc from 'fast-check';
import type { EngineEvent } from '../event.js';
import type { Feature } from '../expression/expression.js';
import { field, gt } from '../pattern/builder.js';
import {
  compileFeatures,
  countFeatureEvents,
  type FeatureSet,
  type FeatureState,
  featuresHorizon,
  horizonOf,
  pruneFeatures,
  readFeatures,
  takesAny,
  updateFeatures,
} from './feature-set.js';
import { type FeatureCell, FeatureError, FeatureTable } from './feature-table.js';
import type { WindowState } from './window.js';

interface Run {
  readonly set: FeatureSet;
  readonly cells: readonly FeatureCell[];
}

function compile(features: readonly Feature[]): Run {
  const table = new FeatureTable();
  const cells = features.map((feature) => table.cell(feature));
  return { set: compileFeatures(cells), cells };
}

const event = (time: number, fields: Record<string, unknown> = {}): EngineEvent => ({
  time,
  seq: time,
  kind: '',
  fields,
});

function valuesAt({ set, cells }: Run, state: FeatureState | undefined, time: number): number[] {
  readFeatures(set, state, time);
  return cells.map((cell) => cell.value);
}

/** The values of the features after each event. */
function valuesAfter(run: Run, events: readonly EngineEvent[]): number[][] {
  let state: FeatureState | undefined;
  return events.map((e) => {
    state = updateFeatures(run.set, state, e);
    return valuesAt(run, state, e.time);
  });
}

const stateOf = (run: Run, events: readonly EngineEvent[]): FeatureState | undefined =>
  events.reduce<FeatureState | undefined>((state, e) => updateFeatures(run.set, state, e), undefined);

const over = (overMs: number, more: Partial<Feature> = {}): Feature => ({ fn: 'count', overMs, ...more });
const large = gt(field('amount'), 100);

describe('a feature', () => {
  it('counts the event under test, and one that is exactly as old as the window is long', () => {
    const run = compile([over(10)]);
    expect(valuesAfter(run, [event(0), event(5), event(10), event(11), event(16), event(99)])).toEqual([
      [1],
      [2],
      [3],
      [3],
      [3],
      [1],
    ]);
  });

  it('tells events of one time apart: each sees those that came before it', () => {
    expect(valuesAfter(compile([over(10)]), [event(1), event(1), event(1)])).toEqual([[1], [2], [3]]);
  });

  it('is a statistic of the field, and of all that have it', () => {
    const run = compile([
      over(10),
      ...(['sum', 'avg', 'min', 'max'] as const).map((fn) => over(10, { fn, field: 'amount' })),
    ]);
    const rows = [
      event(0),
      event(1, { amount: 4 }),
      event(2, { amount: null }),
      event(3, { amount: -1.5 }),
      event(12, { amount: 'x' }),
    ];
    expect(valuesAfter(run, rows)).toEqual([
      [1, 0, Number.NaN, Number.NaN, Number.NaN],
      [2, 4, 4, 4, 4],
      [3, 4, 4, 4, 4],
      [4, 2.5, 1.25, -1.5, 4],
      [3, -1.5, -1.5, -1.5, -1.5],
    ]);
  });

  it('looks at the events that its condition takes', () => {
    const run = compile([over(10, { where: large }), over(10)]);
    expect(valuesAfter(run, [event(0, { amount: 200 }), event(1, { amount: 1 }), event(11, { amount: 1 })])).toEqual([
      [1, 1],
      [1, 2],
      [0, 2],
    ]);
    expect(takesAny(compile([over(10, { where: large })]).set, event(1, { amount: 1 }))).toBe(false);
    expect(takesAny(run.set, event(1, { amount: 1 }))).toBe(true);
  });

  it('is nothing for a key without events', () => {
    const run = compile([over(10), over(10, { fn: 'sum', field: 'a' }), over(10, { fn: 'max', field: 'a' })]);
    expect(valuesAt(run, undefined, 5)).toEqual([0, 0, Number.NaN]);
  });

  it('sums up money as on paper', () => {
    const run = compile([over(10, { fn: 'sum', field: 'amount' })]);
    const rows = [0.1, 0.2, 1e9, -1e9, 49_999.7].map((amount) => event(1, { amount }));
    expect(valuesAfter(run, rows).flat()).toEqual([0.1, 0.3, 1_000_000_000.3, 0.3, 50_000]);
  });

  it('is not carried out of the range of numbers by a value that no amount has', () => {
    const run = compile([over(10, { fn: 'sum', field: 'a' }), over(10, { fn: 'max', field: 'a' })]);
    const values = [1e308, 1e308, Number.POSITIVE_INFINITY, Number.NaN, 7].map((a) => event(1, { a }));
    expect(valuesAfter(run, values).at(-1)).toEqual([7, 7]);
  });
});

describe('a set of features', () => {
  it('keeps one window for features over the same events, and one cell for equal features', () => {
    const table = new FeatureTable();
    const sum: Feature = { fn: 'sum', field: 'amount', overMs: 10, where: large };
    const same: Feature = { where: large, overMs: 10, field: 'amount', fn: 'sum' };
    expect(table.cell(sum)).toBe(table.cell(same));
    const set = compileFeatures(
      [over(10), over(10, { fn: 'max', field: 'a' }), over(20), sum].map((f) => table.cell(f)),
    );
    expect(set.windows.map((window) => [window.kind, horizonOf(window)])).toEqual([
      ['window', 10],
      ['timeline', 20],
    ]);
    expect(featuresHorizon(set)).toBe(20);
    expect(featuresHorizon(compileFeatures([]))).toBe(0);
  });

  it('leaves a state alone that the event does not touch', () => {
    const { set } = compile([over(10, { where: large }), over(20, { where: large })]);
    const state = updateFeatures(set, undefined, event(0, { amount: 200 }));
    expect(updateFeatures(set, state, event(1, { amount: 1 }))).toBe(state);
    expect(updateFeatures(set, undefined, event(1, { amount: 1 }))).toBeUndefined();
  });

  it('drops windows whose events have all left', () => {
    const run = compile([over(10), over(20, { where: large })]);
    const state = stateOf(run, [event(0, { amount: 200 }), event(5, { amount: 1 })]);
    expect(pruneFeatures(run.set, state, 15)).toBe(state);
    const pruned = pruneFeatures(run.set, state, 16);
    expect([countFeatureEvents(run.set, state), countFeatureEvents(run.set, pruned)]).toEqual([3, 1]);
    expect(valuesAt(run, pruned, 16)).toEqual([0, 1]);
    expect(pruneFeatures(run.set, state, 21)).toBeUndefined();
    expect(pruneFeatures(run.set, undefined, 21)).toBeUndefined();
  });

  it.each<[string, Feature]>([
    ['an endless window', over(Number.POSITIVE_INFINITY)],
    ['a window of less than nothing', over(-1)],
    ['a sum of nothing', over(10, { fn: 'sum' })],
    ['a count of a field', over(10, { field: 'amount' })],
    ['a look back', over(10, { where: gt({ op: 'aggregate', fn: 'count', step: 'a' }, 1) })],
    ['a feature of a feature', over(10, { where: gt({ op: 'feature', feature: over(5) }, 1) })],
  ])('refuses %s', (_, feature) => {
    expect(() => new FeatureTable().cell(feature)).toThrow(FeatureError);
  });
});

const features = fc
  .record({
    fn: fc.constantFrom('count' as const, 'sum' as const, 'avg' as const, 'min' as const, 'max' as const),
    field: fc.constantFrom('amount', 'other'),
    overMs: fc.constantFrom(0, 20, 60),
    where: fc.constantFrom(undefined, large),
  })
  .map(
    ({ fn, field, overMs, where }): Feature => ({
      fn,
      overMs,
      ...(fn === 'count' ? {} : { field }),
      ...(where === undefined ? {} : { where }),
    }),
  );

/** Amounts of money, and others of very different sizes. */
const amount = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -50_000, max: 50_000 }).map((cents) => cents / 100) },
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constant(undefined),
);

const stream = fc.array(
  fc.record({
    wait: fc.oneof(fc.nat(6), fc.nat(80)),
    amount,
    other: amount,
    backTo: fc.option(fc.nat(), { freq: 12 }),
  }),
  { maxLength: 120 },
);

/** From the events themselves, with how much of it rounding may have made. */
function naive(feature: Feature, events: readonly EngineEvent[], time: number): { value: number; doubt: number } {
  const inside = events.filter((e) => {
    const taken = feature.where === undefined || (e.fields.amount as number) > 100;
    return taken && e.time >= time - feature.overMs;
  });
  const values = inside.flatMap((e) => (e.fields[feature.field ?? ''] as number | undefined) ?? []);
  const sum = values.reduce((a, b) => a + b, 0);
  const doubt = 1e-13 * values.reduce((a, b) => a + Math.abs(b), 0);
  switch (feature.fn) {
    case 'count':
      return { value: inside.length, doubt: 0 };
    case 'sum':
      return { value: sum, doubt };
    case 'avg':
      return { value: sum / values.length, doubt };
    case 'min':
      return { value: values.length === 0 ? Number.NaN : Math.min(...values), doubt: 0 };
    case 'max':
      return { value: values.length === 0 ? Number.NaN : Math.max(...values), doubt: 0 };
    default:
      throw new Error(feature.fn);
  }
}

interface Past {
  readonly state: FeatureState | undefined;
  readonly events: readonly EngineEvent[];
  readonly time: number;
}

describe('random streams', () => {
  it('give what the events themselves give, also where an older state is gone on with, and later', () => {
    const property = fc.property(fc.array(features, { minLength: 1, maxLength: 6 }), stream, (asked, steps) => {
      const run = compile(asked);
      const check = ({ state, events }: Past, time: number): void => {
        const values = valuesAt(run, state, time);
        run.cells.forEach((cell, i) => {
          const { value, doubt } = naive(cell.feature, events, time);
          if (Number.isNaN(value)) expect(values[i]).toBeNaN();
          else expect(Math.abs(values[i]! - value)).toBeLessThanOrEqual(doubt);
        });
      };
      const past: Past[] = [{ state: undefined, events: [], time: 0 }];
      for (const { wait, backTo, ...fields } of steps) {
        const from = past[backTo === null ? past.length - 1 : backTo % past.length]!;
        const e = event(from.time + wait, fields);
        const next = {
          state: updateFeatures(run.set, from.state, e),
          events: [...from.events, e],
          time: e.time,
        };
        past.push(next);
        check(next, e.time);
      }
      for (const earlier of past) for (const later of [0, 7, 30]) check(earlier, earlier.time + later);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('give exactly the sum of the events inside, however many have come and gone', () => {
    const run = compile([over(50, { fn: 'sum', field: 'amount' })]);
    let state: FeatureState | undefined;
    let seed = 7;
    const inside: { time: number; cents: number }[] = [];
    for (let time = 0; time < 100_000; time++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      const cents = seed % 5_000_000;
      inside.push({ time, cents });
      if (inside[0]!.time < time - 50) inside.shift();
      state = updateFeatures(run.set, state, event(time, { amount: cents / 100 }));
      readFeatures(run.set, state, time);
      const total = inside.reduce((sum, row) => sum + row.cents, 0) / 100;
      if (run.cells[0]!.value !== total) expect([time, run.cells[0]!.value]).toEqual([time, total]);
    }
  });

  it('lose nothing where large and small values come and go', () => {
    const run = compile([over(10, { fn: 'sum', field: 'a' })]);
    const tiny = 1 / 3;
    const rows = [tiny, 1e15 + 0.125, -7e14 / 3, tiny].map((a, i) => event(i * 4, { a }));
    const values = valuesAfter(run, [...rows, event(23, { a: 0 })]).flat();
    expect(values.at(-1)).toBe(0);
    expect(valuesAt(run, stateOf(run, rows), 20)).toEqual([tiny]);
  });

  it('hold no more than twice what the window held, and do constant work for rising and falling values', () => {
    for (const sign of [1, -1]) {
      const run = compile([over(100, { fn: 'min', field: 'a' }), over(100, { fn: 'max', field: 'a' })]);
      let state: FeatureState | undefined;
      let longest = 0;
      let copies = 0;
      for (let time = 0; time < 20_000; time++) {
        const before = state as WindowState | undefined;
        state = updateFeatures(run.set, state, event(time, { a: sign * (time + 1) }));
        const { rows } = state as WindowState;
        longest = Math.max(longest, rows.length / run.set.windows[0]!.stride);
        if (before !== undefined && before.rows !== rows) copies++;
        const both = [sign * (time + 1), sign * Math.max(1, time - 99)];
        expect(valuesAt(run, state, time)).toEqual([Math.min(...both), Math.max(...both)]);
      }
      expect(longest).toBeLessThanOrEqual(205);
      expect(copies).toBeLessThanOrEqual(20_000 / 100);
    }
  });
});
