import fc from 'fast-check';
import type { Pattern } from '../../../src/engine/index.js';
import type { Batch } from '../compare.js';
import { randomPattern } from './patterns.js';
import { randomStream } from './streams.js';

const onlyValid = (patterns: readonly (Pattern | null)[]): readonly Pattern[] =>
  patterns.filter((pattern) => pattern !== null);

/** Random patterns that are all run over one random stream, so that a rule set has several at once. */
export const randomBatch: fc.Arbitrary<Batch> = fc.record({
  patterns: fc.array(randomPattern, { minLength: 1, maxLength: 6 }).map(onlyValid),
  stream: randomStream,
});

/** Always the same random patterns. */
export function somePatterns(count: number): readonly Pattern[] {
  return onlyValid(fc.sample(randomPattern, { numRuns: 2 * count, seed: 1 })).slice(0, count);
}
