import { describeGroupContract } from './log-contract-groups.js';
import { describeRebalanceContract } from './log-contract-rebalance.js';
import { describeStorageContract } from './log-contract-storage.js';
import type { LogFixture } from './log-fixture.js';

export type { LogFixture } from './log-fixture.js';

/**
 * States what every implementation of the log port must do, as tests. `make` is called before each test and its fixture is
 * disposed of after it; topic and group names are new in each, so that one real broker may serve them all.
 */
export function describeLogContract(name: string, make: () => Promise<LogFixture>): void {
  describe(`${name} keeps the log contract`, () => {
    describeStorageContract(make);
    describeGroupContract(make);
    describeRebalanceContract(make);
  });
}
