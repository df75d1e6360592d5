import type { Status } from '../api/types.js';
import { inForce, takenOver } from './taken-over.js';

const status = (...partitions: object[]) => ({ detector: { partitions } }) as unknown as Status;
const at = (partition: number, rules: string, rulesFrom?: number) => ({
  ...{ topic: 'payments', partition, rules },
  ...(rulesFrom === undefined ? {} : { rulesFrom }),
});

describe('partitions that have gone over to a changed list', () => {
  it('are those with another rule set than before, from the offset that their journal names', () => {
    const before = inForce(status(at(0, 'a'), at(1, 'a', 7), at(2, 'b')));
    const now = status(at(0, 'c', 120), at(1, 'c', 95), at(2, 'b'), at(3, 'c', 1));
    expect(takenOver(before, now)).toEqual([
      { topic: 'payments', partition: 0, offset: 120 },
      { topic: 'payments', partition: 1, offset: 95 },
    ]);
  });

  it('are none while nothing is known of them', () => {
    expect(takenOver(inForce({ detector: null } as unknown as Status), status(at(0, 'a', 3)))).toEqual([]);
  });
});
