import { partitionName } from '../ports/log.js';
import { assignPartitions, type Candidate } from './assign.js';

class Member implements Candidate {
  constructor(
    readonly name: string,
    private readonly topics: readonly string[] = ['a', 'b'],
  ) {}

  wants(topic: string): boolean {
    return this.topics.includes(topic);
  }
}

const A = new Member('A');
const B = new Member('B');
const C = new Member('C');

/** Members' partitions as names, owners given likewise. */
function assign(members: Member[], topics: Record<string, number>, owned: Record<string, string[]> = {}) {
  const infos = Object.entries(topics).map(([name, partitions]) => ({ name, partitions }));
  const ownerOf = (p: string) => members.find((m) => owned[m.name]?.includes(p));
  const result = assignPartitions(members, infos, ownerOf);
  return Object.fromEntries([...result].map(([m, partitions]) => [m.name, partitions.map(partitionName).sort()]));
}

describe('assignPartitions', () => {
  it('gives one member everything', () => {
    expect(assign([A], { a: 2, b: 1 })).toEqual({ A: ['a-0', 'a-1', 'b-0'] });
  });

  it('gives the same partition of all topics to the same member', () => {
    const result = assign([A, B], { a: 4, b: 4 });
    for (const partitions of Object.values(result)) {
      expect(partitions).toHaveLength(4);
      const numbers = (topic: string) => partitions.filter((p) => p.startsWith(topic)).map((p) => p.slice(1));
      expect(numbers('a')).toEqual(numbers('b'));
    }
  });

  it('moves as few partitions as balance needs when a member joins', () => {
    expect(assign([A, B, C], { a: 5 }, { A: ['a-0', 'a-1', 'a-2'], B: ['a-3', 'a-4'] })).toEqual({
      A: ['a-0', 'a-1'],
      B: ['a-3', 'a-4'],
      C: ['a-2'],
    });
  });

  it('leaves a balanced assignment as it is', () => {
    const owned = { A: ['a-1', 'a-3'], B: ['a-0', 'a-2'] };
    expect(assign([A, B], { a: 4 }, owned)).toEqual(owned);
  });

  it('takes over what a member that left had', () => {
    expect(assign([B], { a: 3 }, { B: ['a-1'] })).toEqual({ B: ['a-0', 'a-1', 'a-2'] });
  });

  it('leaves members without partitions when there are too few', () => {
    expect(assign([A, B, C], { a: 1 }, { B: ['a-0'] })).toEqual({ A: [], B: ['a-0'], C: [] });
  });

  it('gives a topic only to members that want it', () => {
    const onlyB = new Member('B', ['b']);
    expect(assign([A, onlyB], { a: 2, b: 2 })).toEqual({ A: ['a-0', 'a-1', 'b-0'], B: ['b-1'] });
  });

  it('leaves a topic that nobody wants alone', () => {
    expect(assign([A], { other: 3 })).toEqual({ A: [] });
  });
});
