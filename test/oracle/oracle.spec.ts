import fc from 'fast-check';
import { compare, type Tally } from './compare.js';
import { ENGINES } from './engines.js';
import { randomBatch } from './random/batches.js';

/**
 * Random patterns over random streams: whichever way the engine runs them, it must find what the oracle finds, which has no
 * automaton. A failure is shrunk, and printed as a repro that `test/regressions` keeps.
 * Longer, and from another seed: `ORACLE_RUNS=100000 ORACLE_SEED=7 npm test -- test/oracle`.
 */
const RUNS = Number(process.env.ORACLE_RUNS ?? 1000);
const SEED = Number(process.env.ORACLE_SEED ?? 1);
const RUNS_A_SECOND_MIN = 10;

describe('the engine', () => {
  it(
    'finds what the oracle finds, with random patterns over random streams',
    () => {
      const tally: Tally = { compared: 0, tooMany: 0, matching: 0 };
      const property = fc.property(randomBatch, (batch) => compare(batch, ENGINES, tally));
      fc.assert(property, { numRuns: RUNS, seed: SEED });
      process.stdout.write(`oracle: ${JSON.stringify(tally)}\n`);
      expect(tally.compared).toBeGreaterThan(2 * RUNS);
      expect(tally.matching).toBeGreaterThan(0.3 * tally.compared);
      expect(tally.tooMany).toBeLessThan(0.01 * tally.compared);
    },
    60_000 + (RUNS / RUNS_A_SECOND_MIN) * 1000,
  );
});
