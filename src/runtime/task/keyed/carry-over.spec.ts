import { begin, feature, ge, type Pattern } from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import { dice } from '../../testing/dice.js';
import { codecOf, is, rowOf, ruleOf, type TypedRow } from '../../testing/typed-events.js';
import { Compilers } from '../compilers.js';
import { KeyedEngine } from './keyed-engine.js';
import { succession } from './succession.js';

const pair = (first: string, second: string, within = 40): Pattern =>
  begin('A')
    .where(is(first))
    .followedBy('B')
    .where(is(second))
    .within(within)
    .skip({ strategy: 'pastLastEvent' })
    .build();

/** Alike enough to be in groups, but for those that are not. */
const PAIRS = ['ab', 'ac', 'ad', 'ae', 'bc', 'bd'].map((ends) => ruleOf(ends, pair(ends[0]!, ends[1]!)));
const OTHERS = [
  ruleOf('graph', begin('A').where(is('a')).followedByAny('B').where(is('b')).within(30).build()),
  ruleOf('absence', begin('A').where(is('b')).notFollowedBy('C').where(is('c')).within(25).build()),
  ruleOf('loop', begin('A').where(is('c')).oneOrMore().greedy().followedBy('B').where(is('a')).within(20).build()),
  ruleOf(
    'often',
    begin('last')
      .where(ge(feature({ fn: 'count', overMs: 15 }), 3))
      .build(),
  ),
];
const BEFORE = [...PAIRS, ...OTHERS];
const changed = (id: string, by: Rule): readonly Rule[] => BEFORE.map((rule) => (rule.id === id ? by : rule));
const median = begin('last')
  .where(ge(feature({ fn: 'distinct', field: 'type', overMs: 15 }), 3))
  .build();

const AFTER: readonly (readonly [string, readonly Rule[]])[] = [
  ['nothing', BEFORE],
  ['a condition', changed('ac', ruleOf('ac', pair('a', 'f'), { revision: '2' }))],
  ['a window', changed('ab', ruleOf('ab', pair('a', 'b', 90), { revision: '2' }))],
  [
    'the shape',
    changed(
      'ad',
      ruleOf('ad', begin('X').where(is('a')).next('Y').where(is('d')).within(9).build(), { revision: '2' }),
    ),
  ],
  ['a rule, which restarts', changed('ae', ruleOf('ae', pair('a', 'f'), { revision: '2', onUpdate: 'restart' }))],
  ['the order', [...BEFORE].reverse()],
  ['a rule less at the begin', BEFORE.slice(1)],
  ['a rule more at the begin', [ruleOf('new', pair('e', 'f')), ...BEFORE]],
  ['all but one', [BEFORE[2]!]],
  ['a feature more', [...BEFORE, ruleOf('median', median)]],
  ['features less', BEFORE.slice(0, -1)],
  [
    'which are drained',
    [
      ...changed('ab', ruleOf('ab', pair('e', 'b'), { revision: '2', onUpdate: 'drain' })),
      { ...BEFORE[0]!, drains: true },
    ],
  ],
];

function randomRows(seed: number, count: number, gapMax = 3): readonly TypedRow[] {
  const random = dice(seed);
  let time = 1000;
  return Array.from({ length: count }, (_, i) => {
    time += random(gapMax + 1);
    return rowOf(`k${random(9)}`, 'abcdef'[random(6)]!, time, i + 1);
  });
}

interface Way {
  readonly readsSame: boolean;
  readonly hotKeysMax?: number;
  readonly compilers?: Compilers;
  /** Keys whose windows have ended are swept before their rules change. */
  readonly sweeps?: boolean;
}

/** Goes over to other rules in the middle; answers with what is found after it, and with what is stored at the end. */
function run(
  rows: readonly TypedRow[],
  after: readonly Rule[],
  { readsSame, hotKeysMax = 100, compilers, sweeps = false }: Way,
) {
  const found: string[] = [];
  const onMatch = (rule: Rule, key: string, match: { events: unknown } | object, at: number): void => {
    found.push(`${rule.id} ${rule.revision} ${key} ${at} ${JSON.stringify(match)}`);
  };
  const codec = codecOf(rows);
  const options = () => ({ codec, outline: codec, hotKeysMax, ...(compilers && { compiler: compilers.of({}) }) });
  const half = Math.floor(rows.length / 2);
  const feed = (engine: KeyedEngine, part: readonly TypedRow[], between = (): void => undefined): void => {
    for (const { key, event } of part) {
      while (engine.nextTimer() <= event.time) engine.fireNext();
      engine.process(key, event);
      between();
    }
  };
  const before = new KeyedEngine('k', BEFORE, { onMatch }, options());
  feed(before, rows.slice(0, half));
  const engine = new KeyedEngine('k', after, { onMatch }, options());
  const watermark = rows[half - 1]!.event.time;
  if (sweeps) before.sweep(watermark);
  engine.takeOver([{ engine: before, way: succession(before, engine), readsSame }], watermark);
  found.length = 0;
  feed(engine, rows.slice(half), () => engine.bringSome(1));
  while (!engine.bringSome(64));
  expect(before.keys).toBe(0);
  while (engine.nextTimer() < 1_000_000) engine.fireNext();
  return { found, decoded: codec.decoded };
}

describe('what goes over to other rules as it is', () => {
  it.each(AFTER)('finds the same as what is written and read again, with other rules: %s', (_, after) => {
    for (let seed = 1; seed <= 15; seed++) {
      const rows = randomRows(seed, 160);
      const expected = run(rows, after, { readsSame: false }).found;
      for (const compilers of [undefined, new Compilers()]) {
        for (const hotKeysMax of [100, 2]) {
          expect(run(rows, after, { readsSame: true, hotKeysMax, ...(compilers && { compilers }) }).found).toEqual(
            expected,
          );
        }
      }
    }
  });

  it('has no event read anew', () => {
    const rows = randomRows(1, 160);
    expect(run(rows, AFTER[1]![1], { readsSame: true }).decoded).toBe(0);
    expect(run(rows, AFTER[1]![1], { readsSame: false }).decoded).toBeGreaterThan(0);
  });
});

describe('a run whose window had ended before its rule was changed', () => {
  const longer = BEFORE.map((rule) => ({ ...rule, revision: '2', pattern: { ...rule.pattern, withinMs: 400 } }));

  it('does not go on in a longer one', () => {
    const rows = ['a@0 one', 'e@60 other', 'e@60 other', 'b@70 one'].map((text, i) => {
      const [, type, time, key] = /^(.)@(\d+) (.+)$/.exec(text)!;
      return { key: key!, event: { time: Number(time), seq: i + 1, kind: 'x', fields: { type: type! } } };
    });
    for (const readsSame of [true, false]) {
      for (const hotKeysMax of [100, 0]) {
        const { found } = run(rows, longer, { readsSame, hotKeysMax });
        expect(found.filter((line) => line.startsWith('ab '))).toEqual([]);
      }
    }
  });

  it('is gone in every way of going over', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const rows = randomRows(seed, 160, 40);
      const expected = run(rows, longer, { readsSame: false, sweeps: true }).found;
      for (const readsSame of [true, false])
        for (const hotKeysMax of [100, 2])
          for (const sweeps of [true, false])
            expect(run(rows, longer, { readsSame, hotKeysMax, sweeps }).found).toEqual(expected);
    }
  });
});

describe('Compilers', () => {
  it('compiles what is new, with a turn after each', async () => {
    const compilers = new Compilers();
    let turns = 0;
    const turn = async (): Promise<void> => {
      turns++;
    };
    await compilers.prepare(BEFORE, {}, turn);
    expect(turns).toBe(BEFORE.length);
    await compilers.prepare([...BEFORE, ruleOf('new', pair('e', 'f'))], {}, turn);
    expect(turns).toBe(BEFORE.length + 1);
    expect(compilers.of({})).toBe(compilers.of({}));
    expect(compilers.of({ quantifierGap: 'every' })).not.toBe(compilers.of({}));
  });

  it('gives up what it has compiled for rules that are gone, when that is much more than for those that are there', async () => {
    const compilers = new Compilers();
    const first = compilers.of({});
    for (let i = 0; i < 1100; i++) first.compile(pair('a', `b${i}`));
    await compilers.prepare(BEFORE, {}, async () => undefined);
    expect(compilers.of({})).not.toBe(first);
    expect(compilers.of({}).compiled).toBe(BEFORE.length);
  });
});
