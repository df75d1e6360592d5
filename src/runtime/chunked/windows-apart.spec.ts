import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  begin,
  compileRuleSet,
  decodeKeyState,
  encodeKeyState,
  eq,
  type Feature,
  feature,
  field,
  gt,
  type KeyState,
  processKey,
} from '../../engine/index.js';
import type { StateBatch } from '../ports/state-store.js';
import { SourceEvent } from '../task/source-event.js';
import { eventCodec } from '../task/stored/event-codec.js';
import { stateKey } from '../task/stored/state-key.js';
import { dice } from '../testing/dice.js';
import type { ChunkSizes } from './chunk-sizes.js';
import { wholeEntries } from './chunked-state.js';
import { all, batchOf, FailingStore } from './testing/failing-store.js';

const SIZES: ChunkSizes = { splitFrom: 250, chunkBytes: 100 };
const KEY = stateKey.make(0, 'k');
const text = new TextEncoder();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const codec = eventCodec((raw) => ({
  kind: '',
  fields: JSON.parse(Buffer.from(raw).toString()) as Readonly<Record<string, unknown>>,
}));
const recent: Feature = { fn: 'sum', field: 'amount', overMs: 2000 };
const large: Feature = { fn: 'count', overMs: 5000, where: gt(field('amount'), 50) };
const countries: Feature = { fn: 'distinct', field: 'country', overMs: 3000 };
const rules = compileRuleSet([
  {
    id: 'much',
    pattern: begin('A')
      .where(gt(feature(recent), 20_000))
      .build(),
  },
  {
    id: 'many',
    pattern: begin('A')
      .where(gt(feature(large), 200))
      .build(),
  },
  {
    id: 'far',
    pattern: begin('A')
      .where(gt(feature(countries), 6))
      .build(),
  },
  {
    id: 'pair',
    pattern: begin('A')
      .where(eq(field('amount'), 7))
      .followedBy('B')
      .where(eq(field('amount'), 8))
      .within(900)
      .build(),
  },
]);

function* eventsOf(seed: number, count: number): Generator<SourceEvent> {
  const roll = dice(seed);
  for (let i = 0, time = 1000; i < count; i++) {
    // Now and then many come at once, and nothing for so long that most, or all, has gone.
    time += roll(400) === 0 ? 1000 + roll(5000) : roll(3) * roll(9);
    const fields = { amount: roll(100), country: 'ABCDEFGH'[roll(8)]! };
    const raw = text.encode(JSON.stringify(fields));
    const event = new SourceEvent(time, '', { ...fields }, i, raw, null, true);
    event.seq = i;
    yield event;
  }
}

function step(state: KeyState | undefined, event: SourceEvent, found: string[] = []): KeyState | undefined {
  const output = { slot: 0, onMatch: () => found.push(`${rules.ids[output.slot]} ${event.seq}`) };
  return processKey(rules, state, event, output);
}

const shown = ({ puts }: StateBatch): string[] => puts.map(({ value }) => hex(value));
const put = (state: KeyState | undefined): StateBatch =>
  state === undefined ? batchOf([], [KEY]) : batchOf([{ key: KEY, value: encodeKeyState(state, rules, codec) }]);

describe('windows of features in several entries', () => {
  it.each([1, 2, 3])('give the same when they are stored and read again after each event, seed %i', async (seed) => {
    const store = new FailingStore(SIZES);
    const [uninterrupted, found]: [string[], string[]] = [[], []];
    let [plain, state]: [KeyState | undefined, KeyState | undefined] = [undefined, undefined];
    let entries = 0;
    for (const event of eventsOf(seed, 600)) {
      plain = step(plain, event, uninterrupted);
      const into = await store.open();
      const [before] = await all(into.entries());
      state = step(before && decodeKeyState(before.value, rules, codec), event, found);
      await into.write(put(state));
      entries = Math.max(entries, (await store.stored()).length);
      if (event.seq % 50 === 0) expect(shown(put(state))).toEqual(shown(put(plain)));
    }
    expect(uninterrupted.length).toBeGreaterThan(100);
    expect(found).toEqual(uninterrupted);
    expect(entries).toBeGreaterThan(3);
  });

  it.each([4, 5, 6])('are what was written, whatever fails and whoever reads them, seed %i', async (seed) => {
    const roll = dice(100 * seed);
    const store = new FailingStore(SIZES);
    let into = await store.open();
    let state: KeyState | undefined;
    let expected: string[] = [];
    for (const event of eventsOf(seed, 600)) {
      state = step(state, event);
      if (roll(3) > 0) continue;
      store.fails = roll(8) === 0 ? (['before', 'after'] as const)[roll(2)]! : 'never';
      const batch = put(state);
      await into.write(batch).catch(() => undefined);
      if (store.fails !== 'before') expected = batch.puts.map(({ value }) => hex(value));
      expect((await all(wholeEntries((await store.inner()).entries()))).map(({ value }) => hex(value))).toEqual(
        expected,
      );
      if (roll(20) > 0) continue;
      into = await store.open();
      expect((await all(into.entries())).map(({ value }) => hex(value))).toEqual(expected);
    }
    store.fails = 'never';
    await into.write(batchOf([], [KEY]));
    expect(await store.stored()).toEqual([]);
  });

  it('write few bytes for a change, however large the windows are', async () => {
    const store = new FailingStore(SIZES);
    const into = await store.open();
    const wide = compileRuleSet([
      {
        id: 'w',
        pattern: begin('A')
          .where(gt(feature({ ...recent, overMs: 1e9 }), 1e9))
          .build(),
      },
    ]);
    let state: KeyState | undefined;
    const written: number[] = [];
    for (const event of eventsOf(1, 2000)) {
      state = processKey(wide, state, event, { slot: 0, onMatch: () => undefined });
      if (event.seq % 20 > 0) continue;
      const value = encodeKeyState(state!, wide, codec);
      await into.write(batchOf([{ key: KEY, value }]));
      written.push(store.batches.at(-1)!.puts.reduce((sum, entry) => sum + entry.value.length, 0));
    }
    const whole = encodeKeyState(state!, wide, codec).length;
    expect(whole).toBeGreaterThan(4000);
    expect(written.slice(-20).reduce((sum, bytes) => sum + bytes, 0) / 20).toBeLessThan(whole / 5);
  });
});

describe('entries that an earlier release wrote', () => {
  const old = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../test/savepoints/v2/chunks.json'), 'utf8'),
  ) as { readonly entries: readonly (readonly [string, string])[]; readonly whole: string };
  const puts = old.entries.map(([key, value]) => ({ key: Buffer.from(key, 'hex'), value: Buffer.from(value, 'hex') }));

  it('are read, written again in the form of that release, and taken away', async () => {
    const store = new FailingStore(SIZES);
    await (await store.inner()).write(batchOf(puts));
    const into = await store.open();
    const [read, ...others] = await all(into.entries());
    expect([hex(read!.value), others]).toEqual([old.whole, []]);
    await into.write(batchOf([read!]));
    expect((await store.stored()).map(({ key, value }) => [hex(key), hex(value)])).toEqual(old.entries);
    await into.write(batchOf([], [KEY]));
    expect(await store.stored()).toEqual([]);
  });
});
