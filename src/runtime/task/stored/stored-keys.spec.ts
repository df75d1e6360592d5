import { begin, compileRuleSet, encodeKeyState, eq, field, type KeyState, processKey } from '../../../engine/index.js';
import { EntryBlock } from '../../ports/entry-block.js';
import type { StateEntry } from '../../ports/state-store.js';
import { dice } from '../../testing/dice.js';
import { SourceEvent } from '../source-event.js';
import { eventCodec } from './event-codec.js';
import { stateKey } from './state-key.js';
import { StoredKeys } from './stored-keys.js';

const NUMBER = 3;
const is = (type: string) => eq(field('type'), type);
const rules = compileRuleSet([
  { id: 'absence', pattern: begin('A').where(is('a')).notFollowedBy('C').where(is('c')).within(40).build() },
  { id: 'pair', pattern: begin('A').where(is('p')).followedBy('B').where(is('b')).build() },
]);
const codec = eventCodec(() => ({ kind: '', fields: {} }));

function stateOf(type: string, time: number): KeyState {
  const event = new SourceEvent(time, type, { type }, 0, new Uint8Array([1]), null, true, 'rows');
  return processKey(rules, undefined, event, { slot: 0, onMatch: () => undefined })!;
}

/** Of a key with one run: `a` waits for a time, 40 ms after its event, `p` for none. */
const entry = (name: string, type = 'p', time = 0): StateEntry => ({
  key: stateKey.make(NUMBER, name),
  value: encodeKeyState(stateOf(type, time), rules, codec),
});

/** As a release without outlines wrote it. */
function older({ key, value }: StateEntry): StateEntry {
  const bytes = value.slice(0, -12);
  bytes[0] = 2;
  return { key, value: bytes };
}

function storedOf(...blocks: readonly (readonly StateEntry[])[]) {
  const stored = new StoredKeys(NUMBER);
  const others: string[] = [];
  for (const entries of blocks) {
    const block = EntryBlock.of(entries);
    stored.add(block, 0, block.count, (i) => others.push(stateKey.parse(block.keyAt(i)).name));
  }
  return { stored, others };
}

const inOrder = (entries: StateEntry[]): StateEntry[] => entries.sort((a, b) => Buffer.compare(a.key, b.key));

describe('the keys of an engine as a store had them', () => {
  it('are found by their names, each once, and no others', () => {
    const { stored } = storedOf([entry('b'), entry('d')], [entry('f')], [entry('h'), entry('j'), entry('l')]);
    const found = [...'abcdefghijklm'].filter((name) => stored.release(name) !== undefined);
    expect(found).toEqual([...'bdfhjl']);
    expect([...'bdfhjl'].map((name) => stored.release(name))).toEqual(new Array(6).fill(undefined));
  });

  it('are counted with their runs until they go', () => {
    const { stored } = storedOf([entry('a'), entry('b', 'a', 5)], [entry('c')]);
    expect([stored.keys, stored.runs]).toEqual([3, 3]);
    expect(stored.memory()).toMatchObject({ hotKeys: 0, coldKeys: 3 });
    for (const name of 'abc') stored.release(name);
    expect([stored.keys, stored.runs, stored.memory().coldBytes]).toEqual([0, 0, 0]);
  });

  it('go when their timers are due, those of one time all at once', () => {
    const { stored } = storedOf([entry('a', 'a', 30), entry('b', 'a', 10)], [entry('c'), entry('d', 'a', 10)]);
    const gone: string[] = [];
    expect(stored.nextTimer()).toBe(50);
    stored.release('b');
    expect(stored.nextTimer()).toBe(50);
    stored.releaseDue(50, (name) => gone.push(name));
    expect(gone).toEqual(['d']);
    expect(stored.nextTimer()).toBe(70);
    stored.releaseDue(69, (name) => gone.push(name));
    expect(gone).toEqual(['d']);
    stored.releaseDue(1000, (name) => gone.push(name));
    expect(gone).toEqual(['d', 'a']);
    expect([stored.nextTimer(), stored.keys]).toEqual([Number.POSITIVE_INFINITY, 1]);
  });

  it('leave those of an older release, which say nothing of themselves, to be read at once', () => {
    const { stored, others } = storedOf([older(entry('a')), entry('b'), older(entry('c'))], [older(entry('d'))]);
    expect(others).toEqual(['a', 'c', 'd']);
    expect(stored.release('a')).toBeUndefined();
    const rest: string[] = [];
    expect(stored.releaseSome(0, 10, (name) => rest.push(name))).toBe(-1);
    expect(rest).toEqual(['b']);
  });

  it('go whole and once however they are asked for', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = dice(seed);
      const names = Array.from({ length: 1 + random(60) }, (_, i) => (random(3) === 0 ? `ключ${i}` : `k${i}`));
      const entries = inOrder(names.map((name) => entry(name, 'ap'[random(2)], random(50))));
      const blocks: StateEntry[][] = [];
      for (const left = [...entries]; left.length > 0; ) blocks.push(left.splice(0, 1 + random(9)));
      const { stored } = storedOf(...blocks);
      const gone: string[] = [];
      const take = (name: string, value: unknown): void => {
        expect(value).toEqual(Buffer.from(entries.find(({ key }) => stateKey.parse(key).name === name)!.value));
        gone.push(name);
      };
      for (let place = 0; place >= 0; ) {
        const name = names[random(names.length)]!;
        const value = random(2) === 0 ? stored.release(name) : undefined;
        if (value !== undefined) take(name, value);
        if (random(4) === 0) stored.releaseDue(random(100), take);
        place = stored.releaseSome(place, random(4), take);
      }
      expect(gone.toSorted()).toEqual(names.toSorted());
      expect([stored.keys, stored.runs]).toEqual([0, 0]);
    }
  });
});
