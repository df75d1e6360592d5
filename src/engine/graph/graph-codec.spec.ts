import { events, show } from '../../../test/harness/engine-rows.js';
import { GraphRun, graphBytes, reloaded, UNLIMITED } from '../../../test/harness/graph-run.js';
import { ByteReader } from '../bytes.js';
import { begin, eq, field } from '../pattern/builder.js';
import { decodeGraph } from './graph-codec.js';
import { graphItems } from './node.js';

const is = (type: string) => eq(field('type'), type);
const pattern = begin('A')
  .where(is('a'))
  .oneOrMore()
  .allowCombinations()
  .followedByAny('B')
  .where(is('b'))
  .followedByAny('C')
  .where(is('c'))
  .within(20)
  .build();
const ROWS = events('a1 a2 x3 b4 a5 b6 c7 a8 a9 b10 x11 c12 a24 b25 c26');

describe('a graph as bytes', () => {
  it('gives the same bytes again, after each event, and goes on as if it had never been away', () => {
    const [plain, saved] = [new GraphRun(pattern), new GraphRun(pattern)];
    let matches = 0;
    for (const event of ROWS) {
      const expected = plain.feed(event);
      expect(saved.feed(event)).toEqual(expected);
      matches += expected.length;
      saved.state = reloaded(saved.state);
      if (plain.state !== undefined) expect(graphBytes(saved.state!)).toEqual(graphBytes(plain.state));
    }
    expect(matches).toBeGreaterThan(20);
  });

  it('takes a few bytes an item, and an event once', () => {
    const run = new GraphRun(pattern);
    for (const event of ROWS.slice(0, 12)) run.feed(event);
    const { bytes, events: table } = graphBytes(run.state!);
    expect(new Set(table).size).toBe(table.length);
    expect(bytes.length / graphItems(run.state)).toBeLessThan(25);
  });

  it('of 100,000 items in a chain is written and read without recursion', () => {
    const loop = begin('A').where(is('a')).oneOrMore().consecutive().next('B').where(is('b')).build();
    const run = new GraphRun(loop, { ...UNLIMITED, matchesMax: 1 });
    const row = (type: string, seq: number) => ({ time: seq, seq, kind: '', fields: { id: `${type}${seq}`, type } });
    for (let seq = 0; seq < 100_000; seq++) run.feed(row('a', seq));
    run.state = reloaded(run.state);
    expect(run.feed(row('b', 100_000))[0]!.split(',')).toHaveLength(100_000);
  });

  it('is refused where it is cut off or points nowhere', () => {
    const run = new GraphRun(pattern);
    for (const event of ROWS.slice(0, 12)) run.feed(event);
    const { bytes, events: table } = graphBytes(run.state!);
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeGraph(new ByteReader(bytes.subarray(0, length)), table)).toThrow(RangeError);
    expect(() => decodeGraph(new ByteReader(bytes), table.slice(1))).toThrow('an item of a graph names no event');
    const read = (...numbers: number[]) => decodeGraph(new ByteReader(Uint8Array.from(numbers)), table);
    expect(() => read(0, 1, 1, 0, 1, 0, 0)).toThrow('a graph points to a node that is not there');
    expect(() => read(0, 1, 1, 0, 0, 0, 0)).toThrow('a set of a graph has no item');
    expect(() => read(0, 1, 1, 1, 0, 1, 0, 0)).toThrow('an item of a graph belongs to no run');
    expect(() => read(0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0)).toThrow('a graph has an item where a set should be');
  });

  it('has the matches that were under way', () => {
    const run = new GraphRun(pattern);
    const found = ROWS.slice(0, 6).flatMap((event) => run.feed(event));
    expect(found).toEqual([]);
    run.state = reloaded(run.state);
    expect(run.feed(ROWS[6]!)).toContain(
      show({
        steps: [
          { name: 'A', events: [ROWS[0]!, ROWS[1]!] },
          { name: 'B', events: [ROWS[3]!] },
          { name: 'C', events: [ROWS[6]!] },
        ],
      }),
    );
  });
});
