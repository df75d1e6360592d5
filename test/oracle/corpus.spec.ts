import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ConformanceCase, KIND_PARENTS, patternOf } from '../../src/cli/conformance/case.js';
import { readCases } from '../../src/cli/conformance/command.js';
import { expectedResults } from './after-match.js';
import { corpusAt, expectedTexts, streamOf } from './corpus-case.js';
import { TooMany } from './matches.js';
import type { Meaning } from './partial.js';
import { resultTexts } from './result-texts.js';
import { outOfScope } from './scope.js';

/**
 * Who watches the oracle: it must find in the conformance corpus what Flink found, with no help of the engine. Left out are what `scope.ts` says,
 * keyed cases, refused patterns, and the cases in which Flink lacks a timer.
 */
const CASES = join(import.meta.dirname, '../conformance/cases');
const MEANING: Meaning = { kindParents: KIND_PARENTS, quantifierGap: 'flink' };
const FILES = readdirSync(CASES).filter((name) => name.endsWith('.json') && name !== 'invalid.json');

const isAsked = (c: ConformanceCase): boolean =>
  !c.expected.invalid &&
  !c.tags.includes('keyed') &&
  !c.tags.includes('timer-quirk') &&
  outOfScope(patternOf(c)) === null;

/** `undefined`: there is too much to try. */
function judged(c: ConformanceCase): boolean | undefined {
  const stream = streamOf(c);
  const expected = expectedTexts(c).join('\n');
  try {
    const results = expectedResults(patternOf(c), stream, MEANING);
    return results.some((r) => resultTexts(r, (moment) => corpusAt(stream, moment)).join('\n') === expected);
  } catch (error) {
    if (error instanceof TooMany) return undefined;
    throw error;
  }
}

describe('the oracle', () => {
  it('finds in the conformance corpus what Flink found', async () => {
    const cases = (await Promise.all(FILES.map((name) => readCases(join(CASES, name))))).flat().filter(isAsked);
    const verdicts = cases.map((c) => ({ id: c.id, right: judged(c) }));
    expect(verdicts.filter((v) => v.right === false)).toEqual([]);
    expect(verdicts.filter((v) => v.right === true).length).toBeGreaterThan(3800);
    expect(verdicts.filter((v) => v.right === undefined).length).toBeLessThan(40);
  });
});
