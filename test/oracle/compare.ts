import { KIND_PARENTS } from '../../src/cli/conformance/case.js';
import type { Pattern, Step } from '../../src/engine/index.js';
import { expectedResults } from './after-match.js';
import { type Stream, TooMany } from './matches.js';
import { resultTexts } from './result-texts.js';
import type { Engine } from './run-patterns.js';

/** Patterns, all over one stream. */
export interface Batch {
  readonly patterns: readonly Pattern[];
  readonly stream: Stream;
}

export interface Tally {
  /** Patterns that were compared. */
  compared: number;
  /** Patterns for which there was too much to try. */
  tooMany: number;
  /** Of those compared, how many found anything. */
  matching: number;
}

/** One or more right results of a pattern, as texts. */
type Expected = readonly (readonly string[])[];

/** Throws with a repro at the first pattern for which an engine finds something else than the oracle. */
export function compare(batch: Batch, engines: readonly Engine[], tally: Tally): void {
  const asked = batch.patterns.flatMap((pattern) => {
    const flink = expectedOf(pattern, batch.stream, 'flink');
    const every = hasQuantifierGap(pattern.steps) ? expectedOf(pattern, batch.stream, 'every') : flink;
    return flink === null || every === null ? [] : [{ pattern, expected: { flink, every } }];
  });
  const all = asked.map(({ pattern }) => pattern);
  for (const engine of engines) {
    const taken = asked.filter(({ pattern }) => engine.takes?.(pattern) ?? true);
    const patterns = engine.takes === undefined ? all : taken.map(({ pattern }) => pattern);
    for (const [i, texts] of engine.run(patterns, batch.stream).entries()) {
      const found = told(texts, engine);
      const expected = taken[i]!.expected[engine.quantifierGap].map((result) => told(result, engine));
      const isRight = expected.some((result) => result.join('\n') === found.join('\n'));
      if (!isRight) throw new Error(difference(engine, { ...batch, patterns }, i, expected, found));
    }
  }
  tally.compared += asked.length;
  tally.tooMany += batch.patterns.length - asked.length;
  tally.matching += asked.filter(({ expected }) => expected.flink[0]!.some((text) => !isTimeout(text))).length;
}

/** `null`: there is too much to try. */
function expectedOf(pattern: Pattern, stream: Stream, quantifierGap: 'flink' | 'every'): Expected | null {
  try {
    const results = expectedResults(pattern, stream, { kindParents: KIND_PARENTS, quantifierGap });
    return results.map((result) => resultTexts(result, (moment) => moment >> 1));
  } catch (error) {
    if (error instanceof TooMany) return null;
    throw error;
  }
}

const hasQuantifierGap = (steps: readonly Step[]): boolean =>
  steps.some((step) => step.quantifier?.gapMs !== undefined || (step.kind === 'group' && hasQuantifierGap(step.steps)));

const isTimeout = (text: string): boolean => text.includes(' timeout ');

/** What of a result the engine tells. */
function told(texts: readonly string[], { timeouts }: Engine): readonly string[] {
  return timeouts === 'all' ? texts : texts.filter((text) => !isTimeout(text));
}

function difference(engine: Engine, batch: Batch, i: number, expected: Expected, found: readonly string[]): string {
  return [
    `${engine.name}: pattern ${i} finds something else than the oracle.`,
    `expected${expected.length > 1 ? ` (one of ${expected.length})` : ''}:`,
    ...expected[0]!.map((text) => `  ${text}`),
    'found:',
    ...found.map((text) => `  ${text}`),
    'To keep it, put this into a file of test/regressions, with a note:',
    JSON.stringify({ note: '', ...batch }),
  ].join('\n');
}
