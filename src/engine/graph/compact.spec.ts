import { show } from '../../../test/harness/engine-rows.js';
import { GraphRun, UNLIMITED } from '../../../test/harness/graph-run.js';
import type { EngineEvent } from '../event.js';
import { begin, eq, field } from '../pattern/builder.js';
import { PatternRunner } from '../runner.js';
import { nodesBelow } from './below.js';
import { pruneGraph } from './compact.js';
import { ENDLESS, type GraphState, graphItems, isItem, latestStart } from './node.js';

const is = (type: string) => eq(field('type'), type);
const chain = () =>
  begin('A').where(is('a')).oneOrMore().followedByAny('B').where(is('b')).followedByAny('C').where(is('c'));

const event = (seq: number, type: string, time: number): EngineEvent => ({
  time,
  seq,
  kind: '',
  fields: { id: `${type}${seq}`, type },
});

/** Types in turn, one event each ms. */
const stream = (length: number, types: string): EngineEvent[] =>
  Array.from({ length }, (_, i) => event(i, types[i % types.length]!, i));

/** Items that the state holds in memory, dead ones too. */
const itemsHeld = (state: GraphState | undefined): number =>
  state === undefined ? 0 : nodesBelow(state.sets, ENDLESS).filter(isItem).length;

describe('compaction', () => {
  it('keeps what is held in proportion to what is alive, however long the stream', () => {
    const run = new GraphRun(chain().within(50).build(), { ...UNLIMITED, matchesMax: 0 });
    let most = 0;
    let mostNodes = 0;
    for (const e of stream(6000, 'aabxabcx')) {
      run.feed(e);
      most = Math.max(most, itemsHeld(run.state));
      mostNodes = Math.max(mostNodes, run.state!.nextId);
      expect(itemsHeld(run.state)).toBeLessThanOrEqual(graphItems(run.state));
    }
    // Of 50 events in the window, 38 are a or b.
    expect(most).toBeGreaterThan(38);
    expect(most).toBeLessThanOrEqual(3 * 38 + 17);
    expect(mostNodes).toBeLessThan(3000);
  });

  it('changes no match', () => {
    const pattern = chain().within(50).build();
    const runner = new PatternRunner(pattern);
    const run = new GraphRun(pattern);
    const compactions = new Set<number>();
    let matches = 0;
    for (const e of stream(600, 'axbxxaxxcxx')) {
      const found = run.feed(e);
      expect([...found].sort()).toEqual(runner.feed(e).map(show).sort());
      matches += found.length;
      compactions.add(run.state!.held);
    }
    expect([matches > 500, compactions.size > 1]).toEqual([true, true]);
  });

  it('gives out ids anew where completed matches alone use them up', () => {
    const run = new GraphRun(chain().build(), { ...UNLIMITED, matchesMax: 0 });
    const rows = ['a', 'b', ...new Array<string>(5000).fill('c')];
    for (const [i, type] of rows.entries()) run.feed(event(i, type, i));
    expect(graphItems(run.state)).toBe(2);
    expect(run.state!.nextId).toBeLessThan(1100);
  });
});

describe('pruning', () => {
  const run = new GraphRun(chain().within(50).build());
  for (const e of stream(40, 'abx')) run.feed(e);
  const state = run.state!;

  it('forgets what is dead, and nothing else', () => {
    expect(latestStart(state)).toBe(39);
    const later = pruneGraph(run.pattern, state, 80)!;
    expect(itemsHeld(later)).toBeLessThan(itemsHeld(state) / 2);
    const first = nodesBelow(later.sets, ENDLESS).filter(isItem)[0]!;
    expect(first.event.time).toBeGreaterThan(80 - 50);
    expect([later.held, later.added]).toEqual([state.held, state.added]);
  });

  it('gives the same state back when nothing is dead', () => {
    const once = pruneGraph(run.pattern, state, 40)!;
    expect(pruneGraph(run.pattern, once, 40)).toBe(once);
  });

  it('leaves nothing once the latest window has ended', () => {
    expect(pruneGraph(run.pattern, state, 88)).toBeDefined();
    expect(pruneGraph(run.pattern, state, 89)).toBeUndefined();
  });
});

describe('the limit of items', () => {
  it('drops the oldest runs and says so', () => {
    const run = new GraphRun(chain().build(), { itemsMax: 40, matchesMax: Number.POSITIVE_INFINITY });
    for (const e of stream(50, 'a')) run.feed(e);
    expect(run.itemsDropped).toBe(0);
    run.feed(event(50, 'a', 50));
    expect([run.itemsDropped, itemsHeld(run.state), graphItems(run.state)]).toEqual([31, 20, 20]);
    run.feed(event(51, 'b', 51));
    const firsts = new Set(run.feed(event(52, 'c', 52)).map((match) => /A:(\w+)/.exec(match)![1]));
    expect([...firsts]).toEqual(Array.from({ length: 20 }, (_, i) => `a${31 + i}`));
  });

  it('drops runs that began with the same event together', () => {
    const pattern = begin('A').where(is('a')).followedBy('B').where(is('b')).oneOrMore().allowCombinations();
    const run = new GraphRun(pattern.followedBy('C').where(is('c')).build(), { itemsMax: 8, matchesMax: 10 });
    for (const e of stream(12, 'abbbbbbbbbbb')) run.feed(e);
    expect([run.itemsDropped, run.state]).toEqual([11, undefined]);
  });

  it('counts anew after a time in which nothing was alive, as it does for a key that was forgotten', () => {
    const run = new GraphRun(chain().within(20).build(), { itemsMax: 40, matchesMax: 0 });
    for (const e of stream(30, 'a')) run.feed(e);
    expect(graphItems(run.state)).toBe(30);
    run.feed(event(30, 'a', 1000));
    expect(graphItems(run.state)).toBe(1);
  });

  it('counts what has died as held only until it is looked at', () => {
    const run = new GraphRun(chain().within(20).build(), { itemsMax: 40, matchesMax: 0 });
    for (const e of stream(2000, 'a')) run.feed(e);
    expect(run.itemsDropped).toBe(0);
    expect(graphItems(run.state)).toBeLessThanOrEqual(50);
  });
});

describe('long chains', () => {
  const LENGTH = 100_000;

  it('of which few matches are wanted are turned round only as far as those go', () => {
    const all = begin('A').where(is('a')).oneOrMore().allowCombinations().followedByAny('B').where(is('b')).build();
    const run = new GraphRun(all, { ...UNLIMITED, matchesMax: 2 });
    for (const e of stream(20_000, 'a')) run.feed(e);
    // In full, the lists of what may follow each item would have 200 million entries.
    const matches = run.feed(event(20_000, 'b', 20_000));
    expect(matches.map((match) => match.split(',').length)).toEqual([20_000, 19_999]);
    expect(run.matchesDropped).toBe(Number.POSITIVE_INFINITY);
  });

  it('are counted, walked, compacted and dropped without recursion', () => {
    const run = new GraphRun(begin('A').where(is('a')).oneOrMore().consecutive().next('B').where(is('b')).build(), {
      ...UNLIMITED,
      matchesMax: 1,
    });
    for (const e of stream(LENGTH, 'a')) run.feed(e);
    expect(itemsHeld(run.state)).toBe(LENGTH);
    expect(itemsHeld(pruneGraph(run.pattern, run.state!, LENGTH))).toBe(LENGTH);
    const [match] = run.feed(event(LENGTH, 'b', LENGTH));
    expect(match!.split(',')).toHaveLength(LENGTH);
    expect(run.matchesDropped).toBe(LENGTH - 1);
  });
});
