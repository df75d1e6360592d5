import fc from 'fast-check';
import { partitionName } from '../../../runtime/ports/log.js';
import { assign, type MemberClaim } from './assignor.js';

const member = (memberId: string, owned: number[] = [], generation = 1, topics = ['t']): MemberClaim => ({
  memberId,
  topics,
  owned: owned.map((partition) => ({ topic: 't', partition })),
  generation,
});

const shares = (members: MemberClaim[], counts: Record<string, number> = { t: 6 }) =>
  Object.fromEntries(
    [...assign(members, new Map(Object.entries(counts)))].map(([id, share]) => [id, share.map(partitionName).sort()]),
  );

describe('the assignor', () => {
  it('gives a single member everything', () => {
    expect(shares([member('a')])).toEqual({ a: ['t-0', 't-1', 't-2', 't-3', 't-4', 't-5'] });
  });

  it('gives what another still owns to nobody in the first round, and hands it over in the second', () => {
    const first = shares([member('a', [0, 1, 2, 3, 4, 5]), member('b')]);
    expect(first.a).toHaveLength(3);
    expect(first.b).toEqual([]);
    const kept = (first.a ?? []).map((name) => Number(name.slice(2)));
    const second = shares([member('a', kept, 2), member('b', [], 2)]);
    expect(second.a).toEqual(first.a);
    expect(second.b).toHaveLength(3);
  });

  it('believes the later generation when two claim the same partition', () => {
    expect(shares([member('old', [0, 1], 3), member('new', [0, 1], 4)], { t: 2 }).old).toEqual([]);
  });

  it('gives topics only to members that ask for them', () => {
    const members = [member('a', [], 1, ['t']), member('b', [], 1, ['t', 'u'])];
    expect(shares(members, { t: 2, u: 2 })).toEqual({ a: ['t-0', 't-1'], b: ['u-0', 'u-1'] });
  });

  it('reaches, in at most two rounds from any claims, a fair share for each that then stays', () => {
    const claims = fc.array(fc.uniqueArray(fc.nat(11), { maxLength: 12 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(claims, fc.nat(12), (owned, count) => {
        const ids = owned.map((_, i) => `m${i}`);
        let members = owned.map((list, i) => member(`m${i}`, list, i));
        for (let round = 0; round < 3; round++) {
          const plan = assign(members, new Map([['t', count]]));
          members = ids.map((id) =>
            member(
              id,
              (plan.get(id) ?? []).map((tp) => tp.partition),
              10 + round,
            ),
          );
        }
        const all = members.flatMap((m) => m.owned.map((tp) => tp.partition));
        expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        const sizes = members.map((m) => m.owned.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
