import type { OffsetCommit } from '../ports/log.js';
import { ManualClock } from '../testing/manual-clock.js';
import { GatheredCommits } from './gathered-commits.js';

const at = (partition: number, offset: number): OffsetCommit => ({ topic: 'alerts', partition, offset });

describe('offsets of a sink', () => {
  let clock: ManualClock;
  let committed: (readonly OffsetCommit[])[];
  let failures: unknown[];
  let isAway: boolean;
  let commits: GatheredCommits;

  beforeEach(() => {
    [clock, committed, failures, isAway] = [new ManualClock(), [], [], false];
    commits = new GatheredCommits({
      clock,
      commit: async (offsets) => {
        if (isAway) throw new Error('log is away');
        committed.push(offsets);
      },
      onDone: (error) => void (error !== null && failures.push(error)),
    });
  });

  /** Lets so much time pass, and what is due then come to its end. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };

  it('are committed together, the newest of each partition, a little after they are safe', async () => {
    commits.add(at(0, 1));
    commits.add(at(1, 5));
    commits.add(at(0, 2));
    expect(committed).toEqual([]);
    await pass(200);
    expect(committed).toEqual([[at(0, 2), at(1, 5)]]);
    await pass(1000);
    expect(committed).toHaveLength(1);
  });

  it('are committed at once where a partition is about to go', async () => {
    commits.add(at(0, 1));
    await commits.now();
    expect(committed).toEqual([[at(0, 1)]]);
    await pass(1000);
    expect(committed).toHaveLength(1);
  });

  it('are forgotten where a partition is gone', async () => {
    commits.add(at(0, 1));
    commits.add(at(1, 1));
    commits.drop([at(0, 1)]);
    await pass(200);
    expect(committed).toEqual([[at(1, 1)]]);
    commits.add(at(1, 2));
    commits.clear();
    await pass(200);
    expect(committed).toHaveLength(1);
  });

  it('are tried again, later each time, and never an older one after a newer', async () => {
    isAway = true;
    commits.add(at(0, 1));
    await pass(200);
    commits.add(at(0, 2));
    await pass(200);
    expect(failures).toHaveLength(2);
    await pass(200);
    expect(failures).toHaveLength(2);
    isAway = false;
    await pass(200);
    expect(committed).toEqual([[at(0, 2)]]);
  });
});
