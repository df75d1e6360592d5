import {
  advanceKey,
  begin,
  compileRuleSet,
  decodeKeyState,
  type EventCodec,
  encodeKeyState,
  eq,
  feature,
  field,
  ge,
  gt,
  hopping,
  type KeyState,
  type Match,
  nextKeyDeadline,
  type Pattern,
  processKey,
  type RuleSet,
  type RuleSetOutput,
  restoreWindow,
  session,
  tumbling,
  type Window,
  type WindowState,
  withFeatures,
} from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import { SpillSpace } from '../../keys/windows/spill-space.js';
import { MemorySpillFile } from '../../memory/memory-spill-file.js';
import { dice } from '../../testing/dice.js';
import { codecOf, is, rowOf, rowsOf, ruleOf, type TypedRow } from '../../testing/typed-events.js';
import { KeyedEngine, type KeyedEngineOptions } from './keyed-engine.js';

const PATTERNS: Readonly<Record<string, Pattern>> = {
  pair: begin('A').where(is('a')).followedBy('B').where(is('b')).within(40).build(),
  any: begin('A').where(is('a')).followedByAny('B').where(is('b')).within(30).skip({ strategy: 'toNext' }).build(),
  absence: begin('A').where(is('b')).notFollowedBy('C').where(is('c')).within(25).build(),
  loop: begin('A')
    .where(is('c'))
    .oneOrMore()
    .greedy()
    .followedBy('B')
    .where(is('a'))
    .within(20)
    .skip({ strategy: 'pastLastEvent' })
    .build(),
  windowless: begin('A').where(is('d')).next('B').where(is('d')).build(),
};

const RULES: readonly Rule[] = Object.entries(PATTERNS).map(([id, pattern]) => ruleOf(id, pattern));

/** At least so many events of the key within `overMs`. */
const often = (count: number, overMs: number): Rule =>
  ruleOf(
    'often',
    begin('last')
      .where(ge(feature({ fn: 'count', overMs }), count))
      .build(),
  );

/** Windows of several lengths over the same events, of texts too, and one that lags. */
const varied = ruleOf(
  'varied',
  begin('last')
    .where(ge(feature({ fn: 'distinct', field: 'type', overMs: 15 }), 3))
    .or(eq(feature({ fn: 'last', field: 'type', overMs: 40, lagMs: 5 }), 'b'))
    .or(ge(feature({ fn: 'since', overMs: 60 }), 25))
    .build(),
);

const emitting = [
  ruleOf('tumbling', tumbling(20).where(is('e')).aggregate('n', { fn: 'count' }).build()),
  ruleOf(
    'hopping',
    hopping(30, 10)
      .aggregate('types', { fn: 'distinct', field: 'type' })
      .having(gt(field('types'), feature({ fn: 'distinct', field: 'type', overMs: 15 })))
      .build(),
  ),
  ruleOf('session', session(10, 40).aggregate('last', { fn: 'last', field: 'type' }).showing(3).build()),
];

const ALL = [...RULES, often(4, 15), varied, ...emitting];

/** The state without rows that are not in the only window, which counts and no more, at `time`: they may still be there or not. */
function withoutOld({ features }: RuleSet, state: KeyState | undefined, time: number): KeyState | undefined {
  if (state?.features === undefined) return state;
  const window = features!.windows[0] as Window;
  const { rows, from, to } = state.features as WindowState;
  const times = rows.slice(from, to).filter((at) => at >= time - window.overMs);
  return withFeatures(state, times.length === 0 ? undefined : restoreWindow(window, times, [], []));
}

/** Keys whose order as text is not that of their slots, some with characters that are not Latin. */
const nameOf = (n: number): string => (n % 5 === 0 ? `\ud800${97 - n}` : n % 2 === 0 ? `k${1000 - n}` : `k${n}`);

function randomRows(seed: number, count: number, keys: number): TypedRow[] {
  const random = dice(seed);
  let time = 1000;
  return Array.from({ length: count }, (_, i) => {
    // Many events of one time, so that many timers are due at once.
    time += random(3) === 0 ? 5 * random(3) : 0;
    const type = 'abcdef'[random(6)]!;
    return rowOf(nameOf(random(keys)), type, time, i + 1);
  });
}

function hostWith(rows: readonly TypedRow[], options: KeyedEngineOptions = {}, rules = RULES): Host {
  const host = new Host(options, rules);
  host.feed(rows);
  return host;
}

/** What a store does with a cut. */
function write(
  stored: Map<string, Uint8Array>,
  changed: ReturnType<KeyedEngine['takeDirty']>,
  rules: RuleSet,
  codec: EventCodec,
): void {
  for (const [key, state] of changed) {
    if (state === undefined) stored.delete(key);
    else stored.set(key, state instanceof Uint8Array ? state : encodeKeyState(state, rules, codec));
  }
}

function show(rule: string, key: string, { steps, window }: Match, at: number): string {
  const events = steps.map((s) => `${s.name}:${s.events.map((e) => e.seq).join(',')}`).join(' ');
  return `${rule} ${JSON.stringify(key)} ${at} ${events}${window === undefined ? '' : JSON.stringify(window)}`;
}

/** What a host does: time is advanced to each event, and keys are swept between batches. */
class Host {
  readonly found: string[] = [];
  readonly engine: KeyedEngine;

  constructor(options: KeyedEngineOptions, rules: readonly Rule[] = ALL) {
    this.engine = new KeyedEngine(
      'k',
      rules,
      { onMatch: (rule, key, match, at) => this.found.push(show(rule.id, key, match, at)) },
      options,
    );
  }

  advance(time: number): void {
    while (this.engine.nextTimer() <= time) this.engine.fireNext();
  }

  feed(rows: readonly TypedRow[], batch = 7): void {
    rows.forEach(({ key, event }, i) => {
      this.advance(event.time);
      this.engine.process(key, event);
      if (i % batch === 0) this.engine.sweep(event.time);
    });
  }

  end(): readonly string[] {
    this.advance(1_000_000);
    this.engine.sweep(1_000_000);
    return this.found;
  }
}

/** The same by the pure functions alone: all keys in a Map, and before each event all that is due, in order. */
function expectedOf(rows: readonly TypedRow[]): string[] {
  const rules = compileRuleSet(ALL);
  const states = new Map<string, KeyState>();
  const found: string[] = [];
  let key = '';
  let now = 0;
  const sink: RuleSetOutput = {
    slot: 0,
    onMatch: (match) => found.push(show(ALL[sink.slot]!.id, key, match, now)),
  };
  const set = (state: KeyState | undefined) => (state === undefined ? states.delete(key) : states.set(key, state));
  const advance = (time: number): void => {
    for (;;) {
      const due = [...states].map(([k, s]) => ({ k, s, at: nextKeyDeadline(rules, s) })).filter(({ at }) => at <= time);
      if (due.length === 0) return;
      const first = due.reduce((a, b) => (b.at < a.at || (b.at === a.at && b.k < a.k) ? b : a));
      [key, now] = [first.k, first.at];
      set(advanceKey(rules, first.s, now, sink));
    }
  };
  for (const row of rows) {
    advance(row.event.time);
    [key, now] = [row.key, row.event.time];
    set(processKey(rules, states.get(key), row.event, sink));
  }
  advance(1_000_000);
  return found;
}

describe('an engine over keys', () => {
  for (const bytesMax of [0, 2000]) {
    it(`finds the same when windows leave memory beyond ${bytesMax} bytes, and are restored from what has changed`, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const rows = randomRows(seed, 1200, 60);
        const codec = codecOf(rows);
        const file = new MemorySpillFile();
        const spill = { space: new SpillSpace(() => file), memory: { bytesMax, used: 0 } };
        const stored = new Map<string, Uint8Array>();
        const found: string[] = [];
        const random = dice(seed);
        for (let from = 0; from < rows.length; ) {
          const host = new Host({ codec, hotKeysMax: 5, spill });
          for (const [key, bytes] of stored) {
            const state = decodeKeyState(bytes, host.engine.ruleSet, codec)!;
            host.engine.restore(key, state, rows[from - 1]!.event.time);
          }
          const part = rows.slice(from, from + 100 + random(400));
          host.feed(part);
          from += part.length;
          const { spilled } = host.engine.memory();
          expect(spilled!.keys).toBeGreaterThan(0);
          expect(spilled!.misses).toBeGreaterThan(0);
          if (bytesMax === 0) expect(host.engine.memory().coldKeys).toBeGreaterThan(spilled!.keys - 6);
          write(stored, host.engine.takeDirty(), host.engine.ruleSet, codec);
          if (from >= rows.length) host.end();
          found.push(...host.found);
          host.engine.close();
          expect([spill.memory.used, spill.space.bytesHeld]).toEqual([0, 0]);
        }
        expect(found).toEqual(expectedOf(rows));
        expect(file.length).toBeLessThan(200_000);
      }
    });
  }

  it('keeps windows in memory where the file takes no more, and says so once', () => {
    const rows = randomRows(1, 600, 40);
    const troubles: string[] = [];
    const full = () => {
      throw new Error('no space');
    };
    const space = new SpillSpace(
      () => ({ read: full, write: full, close: () => undefined }),
      (error) => void troubles.push(error.message),
    );
    const host = new Host({ codec: codecOf(rows), spill: { space, memory: { bytesMax: 0, used: 0 } } });
    host.feed(rows);
    expect(host.end()).toEqual(expectedOf(rows));
    expect(troubles).toEqual(['no space']);
  });

  for (const hotKeysMax of [1, 3, 20, 1_000_000]) {
    it(`finds the same in the same order when ${hotKeysMax} keys are hot`, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const rows = randomRows(seed, 1200, 60);
        const host = new Host({ codec: codecOf(rows), hotKeysMax });
        host.feed(rows);
        expect(host.engine.memory().hotKeys).toBeLessThanOrEqual(hotKeysMax);
        const expected = expectedOf(rows);
        expect(expected.length).toBeGreaterThan(200);
        expect(host.end()).toEqual(expected);
      }
    });
  }

  it('finds the same when it is stopped and restored from what it said had changed, again and again', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const rows = randomRows(seed, 1200, 60);
      const random = dice(seed);
      const codec = codecOf(rows);
      const stored = new Map<string, Uint8Array>();
      const found: string[] = [];
      let host = new Host({ codec, hotKeysMax: 5 });
      for (let from = 0; from < rows.length; ) {
        const part = rows.slice(from, from + 1 + random(150));
        host.feed(part);
        // What changed is told as of now, however late it is read.
        const changed = host.engine.takeDirty();
        const later = rows.slice(from + part.length, from + part.length + random(40));
        if (random(2) === 0) {
          host.feed(later);
          part.push(...later);
        }
        if (random(3) === 0) changed.revert();
        else write(stored, changed, host.engine.ruleSet, codec);
        write(stored, host.engine.takeDirty(), host.engine.ruleSet, codec);
        from += part.length;
        if (random(2) === 0) continue;
        found.push(...host.found);
        host = new Host({ codec, hotKeysMax: 1 + random(30) });
        const watermark = part.at(-1)!.event.time;
        for (const [key, bytes] of stored) {
          const state = decodeKeyState(bytes, host.engine.ruleSet, codec)!;
          host.engine.restore(key, state, watermark, ...(random(2) === 0 ? [bytes] : []));
        }
        expect(host.engine.takeDirty().size).toBe(0);
      }
      found.push(...host.end());
      expect(found).toEqual(expectedOf(rows));
    }
  });

  it('says what changed: the state of a hot key, the bytes of a cold one, nothing for one that is gone', () => {
    const rows = rowsOf('x a1', 'y a2', 'x d3', 'z d4', 'y b5', 'y d6', 'y f7');
    const codec = codecOf(rows);
    const { engine } = hostWith(rows, { codec, hotKeysMax: 1 });
    const changed = new Map(engine.takeDirty());
    expect([...changed.keys()].sort()).toEqual(['x', 'y', 'z']);
    const x = changed.get('x');
    expect(x).toBeInstanceOf(Uint8Array);
    const again = decodeKeyState(x as Uint8Array, engine.ruleSet, codec)!;
    expect(Buffer.compare(encodeKeyState(again, engine.ruleSet, codec), x as Uint8Array)).toBe(0);
    expect(changed.get('y')).toMatchObject({ slots: [2] });
    expect(engine.takeDirty().size).toBe(0);
    engine.markDirty(['x', 'nobody']);
    const marked = new Map(engine.takeDirty());
    expect([...marked.keys()].sort()).toEqual(['nobody', 'x']);
    expect(marked.get('nobody')).toBeUndefined();
    expect(engine.keys).toBe(3);
  });

  for (const hotKeysMax of [2, 1_000_000]) {
    it(`says what windows held at the cut, whatever comes before it is read (${hotKeysMax} keys are hot)`, () => {
      const rules = [often(4, 15), ruleOf('windowless', PATTERNS.windowless!)];
      for (let seed = 1; seed <= 6; seed++) {
        const rows = randomRows(seed, 600, 12);
        const random = dice(seed);
        const codec = codecOf(rows);
        const host = new Host({ codec, hotKeysMax }, rules);
        const { ruleSet } = host.engine;
        const sink: RuleSetOutput = { slot: 0, onMatch: () => {} };
        const states = new Map<string, KeyState | undefined>();
        const textOf = (state: KeyState | undefined, time: number): string => {
          const alive = withoutOld(ruleSet, advanceKey(ruleSet, state, time, sink), time);
          return alive === undefined ? 'nothing' : Buffer.from(encodeKeyState(alive, ruleSet, codec)).toString('hex');
        };
        const feed = (from: number, to: number): Set<string> => {
          const part = rows.slice(from, to);
          host.feed(part);
          for (const { key, event } of part) states.set(key, processKey(ruleSet, states.get(key), event, sink));
          return new Set(part.map(({ key }) => key));
        };
        let reverted = new Set<string>();
        for (let from = 0; from + 80 < rows.length; from += 80) {
          const touched = feed(from, from + 40);
          const time = rows[from + 39]!.event.time;
          const expected = new Map([...states].map(([key, state]) => [key, textOf(state, time)]));
          const changed = host.engine.takeDirty();
          const later = feed(from + 40, from + 80);
          if (random(3) === 0) {
            changed.revert();
            reverted = new Set([...reverted, ...touched, ...later]);
            continue;
          }
          const told = new Map<string, string>();
          for (const [key, value] of changed) {
            const state = value instanceof Uint8Array ? decodeKeyState(value, ruleSet, codec) : value;
            told.set(key, textOf(state, time));
          }
          for (const key of [...touched, ...reverted]) expect([key, told.get(key)]).toEqual([key, expected.get(key)]);
          reverted = later;
        }
      }
    });
  }

  it('tells a key that is gone, and one that is gone and came back', () => {
    const rows = rowsOf('x a1', 'y a1', 'x b2', 'x e30', 'y b31', 'y e99');
    const host = hostWith(rows.slice(0, 2));
    expect([...host.engine.takeDirty()].length).toBe(2);
    host.feed(rows.slice(2, 4));
    host.advance(90);
    host.engine.sweep(90);
    host.feed(rows.slice(4));
    host.advance(5000);
    host.engine.sweep(5000);
    expect(new Map(host.engine.takeDirty())).toEqual(
      new Map([
        ['x', undefined],
        ['y', undefined],
      ]),
    );
    expect([host.engine.keys, host.engine.runs]).toEqual([0, 0]);
  });

  it('leaves a cold key as bytes when an event can neither begin nor continue anything for it', () => {
    const rows = rowsOf('x a1', 'y a2', 'x e3', 'x f4', 'x c5', 'x b6');
    let decoded = 0;
    const codec = codecOf(rows);
    const counting: EventCodec = {
      encode: codec.encode,
      decode: (bytes) => {
        decoded++;
        return codec.decode(bytes);
      },
    };
    const host = hostWith(rows.slice(0, 4), { codec: counting, hotKeysMax: 1 });
    expect(host.engine.memory()).toMatchObject({ hotKeys: 1, coldKeys: 1 });
    expect(decoded).toBe(0);
    host.feed(rows.slice(4));
    expect(decoded).toBeGreaterThan(0);
    expect(host.found).toContain('pair "x" 6 A:1 B:6');
  });

  it.each([true, false])(
    'forgets keys when their windows have ended, and uses their memory again (changes told: %s)',
    (tellsChanges) => {
      const host = new Host({ codec: codecOf([]), tellsChanges }, RULES);
      const bytes: number[] = [];
      for (let round = 0; round < 40; round++) {
        const rows = Array.from({ length: 500 }, (_, i) => rowOf(`key ${round} ${i}`, 'a', 5000 * round + i, i));
        host.feed(rows);
        expect([...host.engine.takeDirty()].length).toBeGreaterThanOrEqual(tellsChanges ? 500 : 0);
        bytes.push(host.engine.memory().tableBytes);
      }
      expect(bytes.at(-1)).toBeLessThan(bytes[3]! * 1.1);
      host.end();
      host.engine.sweep(1_000_000);
      expect([host.engine.keys, host.engine.runs]).toEqual([0, 0]);
      expect(host.engine.memory()).toMatchObject({ hotKeys: 0, coldKeys: 0, coldBytes: 0 });
    },
  );

  it('keeps what an event of the very time up to which it has swept can still count', () => {
    const rows = rowsOf('x f0', 'x f1000', 'x f3000');
    const host = hostWith(rows.slice(0, 2), {}, [often(2, 2000)]);
    host.engine.sweep(3000);
    host.feed(rows.slice(2));
    expect(host.found).toEqual(['often "x" 1000 last:2', 'often "x" 3000 last:3']);
  });
});
