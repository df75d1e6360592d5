import { feed, readSeeds } from './fuzz.js';

/** Enough to meet every kind of input; `fuzz-run.ts` goes on for as long as one likes. */
const INPUTS = 1500;
/** Far above what any takes, on a busy machine too. */
const MS_MAX = 20_000;

describe('the reader of rules and tests', () => {
  it('tells what is wrong with anything it is given, throws nothing, and comes to an end', async () => {
    const seeds = await readSeeds();
    const outcomes = new Set<string>();
    for (let number = 1; number <= INPUTS; number++) {
      const { kind, outcome, ms } = feed(seeds, number);
      outcomes.add(`${kind}: ${outcome}`);
      if (ms > MS_MAX) throw new Error(`input ${number} (${kind}) took ${ms} ms`);
    }
    expect([...outcomes]).toEqual(
      expect.arrayContaining([
        'mutated rule: rule',
        'mutated rule: refused',
        'mutated condition: rule',
        'deep: refused',
      ]),
    );
  });
});
