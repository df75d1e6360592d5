import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../bytes.js';
import type { EngineEvent } from '../event.js';
import type { Feature } from '../expression/expression.js';
import { field, gt } from '../pattern/builder.js';
import { decodeFeatures, encodeFeatures, mapWindows } from './feature-codec.js';
import { compileFeatures, type FeatureSet, type FeatureState, readFeatures, updateFeatures } from './feature-set.js';
import { type FeatureCell, FeatureTable } from './feature-table.js';

interface Run {
  readonly set: FeatureSet;
  readonly cells: readonly FeatureCell[];
}

function compile(...features: readonly Feature[]): Run {
  const table = new FeatureTable();
  const cells = features.map((feature) => table.cell(feature));
  return { set: compileFeatures(cells), cells };
}

const event = (time: number, fields: Record<string, unknown>): EngineEvent => ({ time, seq: time, kind: '', fields });

function valuesAt({ set, cells }: Run, state: FeatureState | undefined, time: number): number[] {
  readFeatures(set, state, time);
  return cells.map((cell) => cell.value);
}

const stateOf = ({ set }: Run, events: readonly EngineEvent[]): FeatureState | undefined =>
  events.reduce<FeatureState | undefined>((state, e) => updateFeatures(set, state, e), undefined);

function bytesOf({ set }: Run, state: FeatureState | undefined): Uint8Array {
  const out = new ByteWriter();
  encodeFeatures(out, set, state);
  return out.finish();
}

function loaded({ set }: Run, bytes: Uint8Array, writer: FeatureSet = set): FeatureState | undefined {
  const input = new ByteReader(bytes);
  const state = decodeFeatures(input, set, mapWindows(set, writer.windowIds));
  expect(input.done).toBe(true);
  return state;
}

const count: Feature = { fn: 'count', overMs: 60 };
const sum: Feature = { fn: 'sum', field: 'amount', overMs: 60 };
const min: Feature = { fn: 'min', field: 'amount', overMs: 60 };
const average: Feature = { fn: 'avg', field: 'other', overMs: 25 };
const largeCount: Feature = { ...count, where: gt(field('amount'), 100) };

const value = fc.oneof(
  fc.integer({ min: -50_000, max: 50_000 }).map((cents) => cents / 100),
  fc.nat(1000),
  fc.double(),
  fc.constantFrom(undefined, null, -0, 1e290, 1e-300, 2 ** 52),
);

describe('features as bytes', () => {
  it('are read as they were, and go on exactly as what was written', () => {
    const steps = fc.array(fc.record({ wait: fc.nat(30), amount: value, other: value, reload: fc.boolean() }), {
      maxLength: 60,
    });
    const some = fc.subarray([count, sum, min, average, largeCount], { minLength: 1 });
    const property = fc.property(some, steps, (asked, rows) => {
      const run = compile(...asked);
      let state: FeatureState | undefined;
      let reloaded: FeatureState | undefined;
      let time = 0;
      for (const { wait, reload, ...fields } of rows) {
        time += wait;
        state = updateFeatures(run.set, state, event(time, fields));
        reloaded = updateFeatures(run.set, reloaded, event(time, fields));
        expect(valuesAt(run, reloaded, time)).toEqual(valuesAt(run, state, time));
        expect(valuesAt(run, reloaded, time + 20)).toEqual(valuesAt(run, state, time + 20));
        if (!reload) continue;
        const bytes = bytesOf(run, reloaded);
        reloaded = loaded(run, bytes);
        expect(bytesOf(run, reloaded)).toEqual(bytes);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('take a few bytes an event', () => {
    const run = compile(count, sum);
    const rows = Array.from({ length: 20 }, (_, i) => event(1_700_000_000_000 + i, { amount: (1234 * (i + 1)) / 100 }));
    expect(bytesOf(run, stateOf(run, rows)).length).toBeLessThanOrEqual(16 + 20 * 4);
    expect(bytesOf(run, undefined)).toEqual(Uint8Array.of(0));
  });

  it.each([0.5, -3, 2 ** 60])('keep a time such as %d', (time) => {
    const run = compile(count);
    const state = stateOf(run, [event(time, {}), event(time + 0.5, {})]);
    expect(valuesAt(run, loaded(run, bytesOf(run, state)), time + 60)).toEqual(valuesAt(run, state, time + 60));
  });

  it('hold none of the events that have left', () => {
    const run = compile(count);
    const stayed = stateOf(run, [event(50, {}), event(61, {})]);
    const left = stateOf(run, [event(0, {}), event(50, {}), event(61, {})]);
    expect(bytesOf(run, left)).toEqual(bytesOf(run, stayed));
  });
});

describe('features of another set', () => {
  const rows = [event(0, { amount: 200, other: 1 }), event(10, { amount: 50, other: 3 })];

  it('keep the windows that are still there, and begin new ones with what is held of their events', () => {
    const before = compile(sum, largeCount, average);
    const after = compile({ ...count, overMs: 99 }, average, sum);
    const bytes = bytesOf(before, stateOf(before, rows));
    expect(valuesAt(after, loaded(after, bytes, before.set), 10)).toEqual([2, 2, 250]);
    const others = compile({ ...count, overMs: 99, where: gt(field('amount'), 7) });
    expect(loaded(others, bytes, before.set)).toBeUndefined();
  });

  it('go from one window to several over the same events, and back', () => {
    const one = compile(sum);
    const several = compile(sum, { ...sum, overMs: 5 }, { fn: 'last', field: 'other', overMs: 60, lagMs: 1 });
    const saved = bytesOf(one, stateOf(one, rows));
    const more = loaded(several, saved, one.set);
    expect(valuesAt(several, more, 10)).toEqual([250, 50, Number.NaN]);
    expect(valuesAt(one, loaded(one, bytesOf(several, more), several.set), 10)).toEqual([250]);
  });

  it('keep the events of a window that has other fields now', () => {
    const before = compile(count, sum);
    const after = compile(count, { ...sum, field: 'other' }, min);
    const state = loaded(after, bytesOf(before, stateOf(before, rows)), before.set);
    expect(valuesAt(after, state, 10)).toEqual([2, 0, 50]);
    const more = updateFeatures(after.set, state, event(20, { amount: 70, other: 9 }));
    expect(valuesAt(after, more, 20)).toEqual([3, 9, 50]);
  });
});

describe('bytes that are not whole', () => {
  it('are refused wherever they end', () => {
    const run = compile(count, sum, average);
    const bytes = bytesOf(run, stateOf(run, [event(0, { amount: 1 / 3 }), event(10, { amount: 1, other: 3 })]));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => loaded(run, bytes.slice(0, length))).toThrow(RangeError);
    }
  });

  it('are refused wherever those of texts end', () => {
    const run = compile({ fn: 'distinct', field: 'amount', overMs: 60 });
    const texts = ['KY', 'KY', 'ÅÄÖ', true, 7].map((amount, time) => event(time, { amount }));
    const bytes = bytesOf(run, stateOf(run, texts));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => loaded(run, bytes.slice(0, length))).toThrow(RangeError);
    }
    expect(bytesOf(run, loaded(run, bytes))).toEqual(bytes);
  });

  it.each([
    ['a text that is not there', [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 9, 0]],
    ['a window without an id', [1, 7]],
    ['a window without events', [1, 0, 0]],
  ])('%s', (_, bytes) => {
    expect(() => loaded(compile(count), Uint8Array.from(bytes))).toThrow(RangeError);
  });
});
