import {
  begin,
  decodeKeyState,
  type EngineEvent,
  type EventCodec,
  encodeKeyState,
  type Match,
  tumbling,
} from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import { dice } from '../../testing/dice.js';
import { codecOf, is, rowOf, rowsOf, ruleOf, type TypedRow } from '../../testing/typed-events.js';
import { KeyedEngine } from './keyed-engine.js';
import type { StoppedRule } from './quarantine.js';
import { succession } from './succession.js';

const pair = begin('A').where(is('a')).followedBy('B').where(is('b')).within(1000).build();
const many = begin('A')
  .where(is('a'))
  .followedByAny('B')
  .where(is('b'))
  .within(1000)
  .skip({ strategy: 'toNext' })
  .build();
const loop = begin('A').where(is('a')).oneOrMore().greedy().followedBy('B').where(is('b')).within(100_000);

class Host {
  readonly found: string[] = [];
  readonly stopped: StoppedRule[] = [];
  readonly engine: KeyedEngine;

  constructor(rules: readonly Rule[], codec?: EventCodec) {
    const output = {
      onMatch: (rule: Rule, key: string, { steps }: Match, at: number): void => {
        this.found.push(`${rule.id} ${key} ${at} ${steps.map(({ events }) => events.map((e) => e.seq)).join(' ')}`);
      },
      onQuarantined: (stopped: StoppedRule): void => void this.stopped.push(stopped),
      placeOf: (event: EngineEvent) => ({ topic: 't', partition: 3, offset: event.seq }),
    };
    this.engine = new KeyedEngine('k', rules, output, codec === undefined ? {} : { codec, hotKeysMax: 2 });
  }

  feed(rows: readonly TypedRow[]): this {
    for (const { key, event } of rows) {
      while (this.engine.nextTimer() <= event.time) this.engine.fireNext();
      this.engine.process(key, event);
    }
    return this;
  }
}

describe('a rule that exceeds its limits', () => {
  it('is stopped, with the event that did it; the others go on', () => {
    const rules = [ruleOf('bad', many, { limits: { runsMax: 1, overflow: 'quarantine' } }), ruleOf('good', many)];
    const host = new Host(rules).feed(rowsOf('x a1', 'x b2', 'x a3', 'y a3', 'x a4', 'x b5', 'y b6'));
    expect(host.stopped).toEqual([
      {
        ...{ id: 'bad', revision: '1', reason: 'runs', detail: 'more than 1 partial matches of one key', key: 'x' },
        ...{ time: 4, event: { topic: 't', partition: 3, offset: 5 } },
      },
    ]);
    expect(host.found.filter((text) => text.startsWith('bad'))).toEqual(['bad x 2 1 2']);
    expect(host.found.filter((text) => text.startsWith('good'))).toHaveLength(4);
    expect(host.engine.stopped).toEqual(host.stopped);
  });

  it('is not, where its policy is to give something up', () => {
    const host = new Host([ruleOf('bounded', many, { limits: { runsMax: 2 } })]).feed(
      rowsOf('x a1', 'x a2', 'x a3', 'x b4', 'y a5', 'y b6'),
    );
    expect(host.stopped).toEqual([]);
    expect(host.found).toEqual(['bounded x 4 2 4', 'bounded x 4 3 4', 'bounded y 6 5 6']);
  });

  it('is stopped at an event that completes too many matches, of which as many as it may have are told', () => {
    const rules = [ruleOf('bad', many, { limits: { matchesMax: 2, overflow: 'quarantine' } }), ruleOf('good', pair)];
    const host = new Host(rules).feed(rowsOf('x a1', 'x a2', 'x a3', 'x b4', 'y a5', 'y b6'));
    expect(host.found).toEqual([
      'bad x 4 1 4',
      'bad x 4 2 4',
      'good x 4 1 4',
      'good x 4 2 4',
      'good x 4 3 4',
      'good y 6 5 6',
    ]);
    expect(host.stopped.map(({ reason, key }) => [reason, key])).toEqual([['matches', 'x']]);
  });

  it.each([
    ['partial matches', loop.build()],
    ['windows', tumbling(100_000).aggregate('types', { fn: 'median', field: 'n' }).build()],
  ])('is stopped when its %s hold too much of one key', (_, pattern) => {
    const rows = Array.from({ length: 100 }, (_row, seq) => ({
      key: 'x',
      event: { time: seq, seq, kind: '', fields: { type: 'a', n: seq } },
    }));
    const host = new Host([
      ruleOf('bad', pattern, { limits: { eventsMax: 40, overflow: 'quarantine' } }),
      ruleOf('good', pair),
    ]);
    host.feed(rows);
    expect(host.stopped.map(({ reason, time }) => [reason, time])).toEqual([['events', 48]]);
    expect(host.engine.runs).toBe(100);
    const gentle = new Host([ruleOf('restarts', pattern, { limits: { eventsMax: 40 } })]).feed(rows);
    expect(gentle.stopped).toEqual([]);
  });

  it('is stopped when it throws, and what others found at that event is told once', () => {
    const fails = begin('A')
      .where((event) => {
        if (event.fields.type === 'c') throw new Error('no such thing');
        return true;
      })
      .followedBy('B')
      .where(is('z'))
      .within(1000)
      .build();
    const rules = ['p', 'q', 'r'].map((id) => ruleOf(id, begin('A').where(is('c')).build()));
    rules.splice(1, 0, ruleOf('bad', fails));
    const host = new Host(rules).feed(rowsOf('x c1', 'y a2', 'y c3'));
    expect(host.found).toEqual(
      ['p', 'q', 'r'].map((id) => `${id} x 1 1`).concat(['p', 'q', 'r'].map((id) => `${id} y 3 3`)),
    );
    expect(host.stopped.map(({ id, reason, detail, key }) => [id, reason, detail, key])).toEqual([
      ['bad', 'error', 'no such thing', 'x'],
    ]);
  });

  it('stays so in the same revision alone', () => {
    const before = new Host([ruleOf('bad', many, { limits: { runsMax: 1, overflow: 'quarantine' } })]).feed(
      rowsOf('x a1', 'x a2'),
    );
    const [stopped] = before.engine.stopped;
    const same = new Host([ruleOf('bad', many)]);
    same.engine.resumeStopped([stopped!]);
    const next = new Host([{ ...ruleOf('bad', many), revision: '2' }]);
    next.engine.resumeStopped([stopped!]);
    const rows = rowsOf('y a1', 'y b2');
    expect([same.feed(rows).found.length, next.feed(rows).found.length]).toEqual([0, 1]);
    expect([same.engine.stopped.length, next.engine.stopped.length]).toEqual([1, 0]);
  });

  it.each<[lifted: number | undefined, before: number | undefined, goesOn: boolean]>([
    [1, undefined, false],
    [2, 1, false],
    [1, 1, true],
    [undefined, 1, true],
  ])('begins with nothing under way when it is let out: lifted %s after %s', (lifted, before, goesOn) => {
    const times = (n: number | undefined) => (n === undefined ? {} : { lifted: n });
    const old = new Host([{ ...ruleOf('bad', many), ...times(before) }]).feed(rowsOf('x a1', 'x a2'));
    const next = new Host([{ ...ruleOf('bad', many), ...times(lifted), revision: '2' }]);
    expect(succession(old.engine, next.engine).slots).toEqual([goesOn ? 0 : undefined]);
  });

  it('is stopped at the same event when the engine is stopped and restored again and again', () => {
    const rules = [
      ruleOf('bad', many, { limits: { runsMax: 4, overflow: 'quarantine' } }),
      ruleOf('worse', many, { limits: { matchesMax: 3, overflow: 'quarantine' } }),
      ruleOf('long', loop.within(60).build(), { limits: { eventsMax: 5, overflow: 'quarantine' } }),
      ruleOf('good', pair),
    ];
    for (let seed = 1; seed <= 20; seed++) {
      const random = dice(seed);
      let time = 0;
      const rows = Array.from({ length: 300 }, (_, i) => {
        time += random(30);
        return rowOf(`k${random(6)}`, 'abc'[random(3)]!, time, i + 1);
      });
      const codec = codecOf(rows);
      const whole = new Host(rules).feed(rows);
      expect(whole.stopped.length).toBeGreaterThan(0);
      const found: string[] = [];
      const stopped: StoppedRule[] = [];
      const stored = new Map<string, Uint8Array>();
      let cut: readonly StoppedRule[] = [];
      for (let from = 0; from < rows.length; ) {
        const host = new Host(rules, codec);
        const { ruleSet } = host.engine;
        for (const [key, bytes] of stored) {
          host.engine.restore(key, decodeKeyState(bytes, ruleSet, codec)!, rows[from - 1]!.event.time);
        }
        host.engine.resumeStopped(cut);
        const part = rows.slice(from, from + 1 + random(60));
        host.feed(part);
        from += part.length;
        found.push(...host.found);
        stopped.push(...host.stopped);
        cut = host.engine.stopped;
        for (const [key, state] of host.engine.takeDirty()) {
          if (state === undefined) stored.delete(key);
          else stored.set(key, state instanceof Uint8Array ? state : encodeKeyState(state, ruleSet, codec));
        }
      }
      expect(found).toEqual(whole.found);
      expect(stopped).toEqual(whole.stopped);
    }
  });
});
