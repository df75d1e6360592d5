import { describeStateStoreContract } from '../../../test/contracts/state-store-contract.js';
import {
  begin,
  compileRuleSet,
  decodeKeyState,
  encodeKeyState,
  eq,
  field,
  type KeyState,
  processKey,
} from '../../engine/index.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import type { TopicPartition } from '../ports/log.js';
import type { StateEntry } from '../ports/state-store.js';
import { SourceEvent } from '../task/source-event.js';
import { eventCodec } from '../task/stored/event-codec.js';
import { stateKey } from '../task/stored/state-key.js';
import { dice } from '../testing/dice.js';
import type { ChunkSizes } from './chunk-sizes.js';
import { ChunkedState, wholeEntries } from './chunked-state.js';
import { all, batchOf, FailingStore } from './testing/failing-store.js';

const SIZES: ChunkSizes = { splitFrom: 120, chunkBytes: 50 };
const text = new TextEncoder();
const utf8 = new TextDecoder();

const codec = eventCodec((raw) => ({
  kind: '',
  fields: { type: utf8.decode(raw.subarray(0, 1)), id: utf8.decode(raw) },
}));
const is = (type: string) => eq(field('type'), type);
const rules = compileRuleSet([
  { id: 'pair', pattern: begin('A').where(is('a')).followedByAny('B').where(is('b')).within(40).build() },
  { id: 'long', pattern: begin('A').where(is('c')).followedBy('B').where(is('d')).within(400).build() },
  { id: 'loop', pattern: begin('A').where(is('a')).oneOrMore().followedBy('B').where(is('d')).within(60).build() },
]);

function* eventsOf(seed: number, count: number): Generator<SourceEvent> {
  const roll = dice(seed);
  for (let i = 0, time = 1000; i < count; i++) {
    // Now and then nothing comes for so long that all has gone.
    time += roll(30) === 0 ? 500 : roll(4);
    const type = 'aaabccd'[roll(7)]!;
    const raw = text.encode(`${type}${i}${'.'.repeat(roll(30))}`);
    const event = new SourceEvent(time, '', { type, id: utf8.decode(raw) }, 5 * count - i + roll(3), raw, null, true);
    event.seq = i;
    yield event;
  }
}

const shown = (entries: readonly StateEntry[]): string[] =>
  entries.map(({ key, value }) => `${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`);

/** Steps a key's state by one event. */
function step(state: KeyState | undefined, event: SourceEvent, found: string[] = []): KeyState | undefined {
  const output = {
    slot: 0,
    onMatch: (match: { readonly steps: readonly { readonly events: readonly { readonly fields: object }[] }[] }) => {
      const events = match.steps.flatMap((s) => s.events.map(({ fields }) => (fields as { readonly id: string }).id));
      found.push(`${rules.ids[output.slot]} ${events.join(' ')}`);
    },
  };
  return processKey(rules, state, event, output);
}

describeStateStoreContract('ChunkedState over MemoryStateStore', async () => {
  const memory = new MemoryStateStore();
  const store = {
    partition: async (of: TopicPartition) => new ChunkedState(await memory.partition(of), async () => undefined),
    close: () => memory.close(),
  };
  return { store, reopen: async () => store, dispose: () => store.close() };
});

describe('states in several entries', () => {
  it.each([1, 2, 3])(
    'give the same matches when they are stored and read again after each event, seed %i',
    async (seed) => {
      const key = stateKey.make(0, 'k');
      const [uninterrupted, found]: [string[], string[]] = [[], []];
      const store = new FailingStore(SIZES);
      let [plain, state]: [KeyState | undefined, KeyState | undefined] = [undefined, undefined];
      const entries = new Set<number>();
      for (const event of eventsOf(seed, 400)) {
        plain = step(plain, event, uninterrupted);
        const into = await store.open();
        const [before] = await all(into.entries());
        state = step(before && decodeKeyState(before.value, rules, codec), event, found);
        await into.write(
          state === undefined ? batchOf([], [key]) : batchOf([{ key, value: encodeKeyState(state, rules, codec) }]),
        );
        entries.add((await store.stored()).length);
      }
      expect(uninterrupted.length).toBeGreaterThan(100);
      expect(found).toEqual(uninterrupted);
      // It was small, and large, and small again.
      expect(entries.has(1) && Math.max(...entries) > 4).toBe(true);
    },
  );

  it.each([1, 2, 3, 4, 5, 6])('are what was written, whatever fails and whoever reads them, seed %i', async (seed) => {
    const roll = dice(seed);
    const store = new FailingStore(SIZES);
    let state = await store.open();
    // One key goes on where those of another's chunks do.
    const keys = ['k', 'kk', 'k\0', 'k\0\0\0\0\0', 'other'].map((name) => stateKey.make(0, name));
    const streams = keys.map((_, i) => eventsOf(10 * seed + i, 300));
    const states: (KeyState | undefined)[] = keys.map(() => undefined);
    const model = new Map<number, StateEntry>();
    const dirty = new Set<number>();
    for (let round = 0; round < 300; round++) {
      for (let n = roll(4); n >= 0; n--) {
        const k = roll(keys.length);
        const next = streams[k]!.next();
        if (next.done === true) continue;
        states[k] = step(states[k], next.value);
        // All of it goes at once, as with rules that are over.
        if (roll(60) === 0) states[k] = undefined;
        dirty.add(k);
      }
      const changed = [...dirty];
      const puts = changed.flatMap((k) =>
        states[k] === undefined ? [] : { key: keys[k]!, value: encodeKeyState(states[k], rules, codec) },
      );
      const deletes = changed.filter((k) => states[k] === undefined).map((k) => keys[k]!);
      store.fails = roll(8) === 0 ? (['before', 'after'] as const)[roll(2)]! : 'never';
      const isWritten = await state.write(batchOf(puts, deletes)).then(
        () => true,
        () => false,
      );
      if (store.fails !== 'before') {
        for (const k of changed) model.delete(k);
        for (const put of puts) model.set(keys.indexOf(put.key), put);
      }
      if (isWritten) dirty.clear();
      const expected = [...model.values()].sort((a, b) => Buffer.compare(a.key, b.key));
      // Whoever only reads sees the same.
      expect(shown(await all(wholeEntries((await store.inner()).entries())))).toEqual(shown(expected));
      if (roll(10) > 0) continue;
      state = await store.open();
      expect(shown(await all(state.entries()))).toEqual(shown(expected));
      // What was not written is written again by whoever has the keys; here, that is the same.
      for (const k of keys.keys()) dirty.add(k);
    }
    store.fails = 'never';
    await state.write(batchOf([], keys));
    expect(await store.stored()).toEqual([]);
  });

  it('write few bytes for a change, however large the state is, and read as well without their chunk in order', async () => {
    const store = new FailingStore(SIZES);
    const state = await store.open();
    const key = stateKey.make(0, 'k');
    let held: KeyState | undefined;
    const written: number[] = [];
    for (let i = 0; i < 300; i++) {
      const raw = text.encode(`c${i}`.padEnd(20, '.'));
      const event = new SourceEvent(1000 + i, '', { type: 'c' }, i, raw, null, true);
      event.seq = i;
      held = step(held, event);
      store.batches = [];
      await state.write(batchOf([{ key, value: encodeKeyState(held!, rules, codec) }]));
      written.push(store.batches[0]!.puts.reduce((sum, { value }) => sum + value.length, 0));
    }
    const whole = encodeKeyState(held!, rules, codec);
    expect(whole.length).toBeGreaterThan(10_000);
    // What is not in chunks: about six bytes for each run, and three for each chunk.
    expect(Math.max(...written)).toBeLessThan(whole.length / 4);
    expect(shown(await all(state.entries()))).toEqual(shown([{ key, value: whole }]));
  });

  it('leave a state as it is where it is small: one entry, the bytes of the engine', async () => {
    const store = new FailingStore(SIZES);
    const state = await store.open();
    // It begins runs, as not every one does.
    const [event] = eventsOf(2, 1);
    const put = { key: stateKey.make(0, 'k'), value: encodeKeyState(step(undefined, event!)!, rules, codec) };
    await state.write(batchOf([put]));
    expect(shown(await store.stored())).toEqual(shown([put]));
  });

  it.each<[string, (entries: readonly StateEntry[]) => readonly Uint8Array[]]>([
    ['a chunk is missing', (entries) => [entries.at(-1)!.key]],
    ['the entry is missing', (entries) => [entries[0]!.key]],
  ])('say so when %s, and what to do', async (_, missing) => {
    const store = new FailingStore(SIZES);
    const state = await store.open();
    let held: KeyState | undefined;
    for (const event of eventsOf(2, 30)) held = step(held, event);
    await state.write(batchOf([{ key: stateKey.make(0, 'k'), value: encodeKeyState(held!, rules, codec) }]));
    const stored = await store.stored();
    expect(stored.length).toBeGreaterThan(2);
    await (await store.inner()).write(batchOf([], missing(stored)));
    const reading = all((await store.open()).entries());
    await expect(reading).rejects.toThrow(
      /the stored state is damaged: .* Stop the service, move the state folder away/,
    );
  });
});
