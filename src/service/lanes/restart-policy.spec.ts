import { type RestartOptions, RestartPolicy } from './restart-policy.js';

const MINUTE = 60_000;
const options: RestartOptions = {
  strategy: 'exponential',
  delay: 1_000,
  delayMax: 5_000,
  attempts: 4,
  window: 10 * MINUTE,
};

/** What is said of ends at these times, in ms. */
const after = (ends: readonly number[], over: Partial<RestartOptions> = {}): readonly (number | null)[] => {
  const policy = new RestartPolicy({ ...options, ...over });
  return ends.map((at) => policy.next(at));
};

describe('RestartPolicy', () => {
  it.each<[string, readonly number[], Partial<RestartOptions>, readonly (number | null)[]]>([
    [
      'doubles the wait up to the longest, and gives up in the end',
      [0, 1, 2, 3, 4],
      {},
      [1000, 2000, 4000, 5000, null],
    ],
    ['waits the same each time', [0, 1, 2, 3, 4], { strategy: 'fixed' }, [1000, 1000, 1000, 1000, null]],
    ['never restarts', [0], { attempts: 0 }, [null]],
    ['restarts once', [0, 1], { attempts: 1 }, [1000, null]],
    ['forgives what lies back', [0, 11 * MINUTE, 22 * MINUTE], { attempts: 1 }, [1000, 1000, 1000]],
    ['counts what is within the window', [0, 5 * MINUTE, 11 * MINUTE], {}, [1000, 2000, 2000]],
    ['takes the first wait where the longest is shorter', [0, 1], { delay: 9000 }, [9000, 9000]],
  ])('%s', (_, ends, over, expected) => {
    expect(after(ends, over)).toEqual(expected);
  });
});
