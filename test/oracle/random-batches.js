import fc from 'fast-check';
import { randomPattern } from './random-patterns.js';
import { randomStream } from './random-streams.js';

const onlyValid = (patterns) => patterns.filter((pattern) => pattern !== null);
/** Random patterns that are all run over one random stream, so that a rule set has several at once. */
export const randomBatch = fc.record({
  patterns: fc.array(randomPattern, { minLength: 1, maxLength: 6 }).map(onlyValid),
  stream: randomStream,
});
/** Always the same random patterns. */
export function somePatterns(count) {
  return onlyValid(fc.sample(randomPattern, { numRuns: 2 * count, seed: 1 })).slice(0, count);
}
