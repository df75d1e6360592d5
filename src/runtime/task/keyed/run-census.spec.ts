import { begin, type Pattern } from '../../../engine/index.js';
import { codecOf, is, rowOf, ruleOf, type TypedRow } from '../../testing/typed-events.js';
import { KeyedEngine } from './keyed-engine.js';
import type { RunCount } from './run-census.js';

const beginningWith = (first: string): Pattern =>
  begin('A').where(is(first)).followedByAny('B').where(is('z')).within(1_000_000).build();
/** `twin` does what `often` does: both hold the very same state. */
const RULES = [
  ['often', 'a'],
  ['twin', 'a'],
  ['rare', 'b'],
  ['never', 'c'],
].map(([id, first]) => ruleOf(id!, beginningWith(first!)));

/** So many keys, each with two runs of `often` and `twin`, and each third with one of `rare`. */
function engineWith(keys: number, hotKeysMax = 4): KeyedEngine {
  const rows: TypedRow[] = [];
  for (let n = 0; n < keys; n++)
    for (const type of n % 3 === 0 ? 'aab' : 'aa') rows.push(rowOf(`k${n}`, type, rows.length, rows.length + 1));
  const engine = new KeyedEngine('k', RULES, { onMatch: () => undefined }, { codec: codecOf(rows), hotKeysMax });
  for (const { key, event } of rows) engine.process(key, event);
  return engine;
}

function counted(engine: KeyedEngine, keysLeft: number): Record<string, number> {
  const by: RunCount = { runs: new Map(), keysLeft };
  engine.countRuns(by);
  return Object.fromEntries(by.runs);
}

describe('partial matches by rule', () => {
  it('are exact where all keys are looked at, hot ones and cold ones, and change nothing', () => {
    const engine = engineWith(30);
    expect(engine.runs).toBe(130);
    for (let n = 0; n < 3; n++) expect(counted(engine, 100)).toEqual({ often: 60, twin: 60, rare: 10 });
    expect(engine.memory().hotKeys).toBeLessThanOrEqual(4);
  });

  it('are those of some keys on the scale of all, until all have been seen', () => {
    const engine = engineWith(300);
    const first = counted(engine, 30);
    expect(Object.values(first).reduce((a, b) => a + b)).toBeCloseTo(1300, -1);
    for (let n = 0; n < 9; n++) counted(engine, 30);
    const { often, twin, rare } = counted(engine, 1);
    expect([Math.round(often! / 10), Math.round(twin! / 10), Math.round(rare! / 10)]).toEqual([60, 60, 10]);
  });

  it('are none when there is nothing', () => {
    expect(counted(engineWith(0), 10)).toEqual({});
  });
});
