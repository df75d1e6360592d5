import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type ConformanceCase, patternOf } from '../../src/cli/conformance/case.js';
import { readCases } from '../../src/cli/conformance/command.js';
import { type KeyState, type Pattern, type RuleSet, validatePattern } from '../../src/engine/index.js';
import type { Batch } from './compare.js';
import { streamOf } from './corpus-case.js';
import { FoundBySlot } from './found.js';
import { bytesOf, hexOf, stateOf, throughBytes } from './key-bytes.js';
import type { Stream } from './matches.js';
import { randomBatch } from './random/batches.js';
import { compileAnew, feedKey, type Sharing } from './run-patterns.js';

/**
 * A stream fed in any split gives the same matches in the same order, with the state saved to bytes and loaded by a rule set that was compiled anew;
 * and a step leaves the state that it is given as it was. Runs: `ORACLE_RUNS`, `ORACLE_SEED`.
 */
const RUNS = Number(process.env.ORACLE_RUNS ?? 1000);
const SEED = Number(process.env.ORACLE_SEED ?? 1);
const CASES = join(import.meta.dirname, '../conformance/cases');
const FILES = readdirSync(CASES).filter((name) => name.endsWith('.json') && name !== 'invalid.json');

interface Run {
  readonly found: FoundBySlot;
  /** Before each feed, and after the last one. */
  readonly states: readonly (KeyState | undefined)[];
}

type Between = (state: KeyState | undefined) => KeyState | undefined;

function feedAll(rules: RuleSet, stream: Stream, from: number, given: KeyState | undefined, between: Between): Run {
  const found = new FoundBySlot(
    rules.patterns.length,
    rules.slots.every((slot) => !slot.shares),
  );
  const states = [given];
  for (let at = from; at < stream.length; at++) {
    found.at = at;
    states.push(feedKey(rules, between(states.at(-1)), stream[at]!, found));
  }
  return { found, states };
}

const asItIs: Between = (state) => state;

/** What is found from a feed on, in order of emission. */
const foundFrom = (found: readonly (readonly string[])[], at: number): readonly (readonly string[])[] =>
  found.map((texts) => texts.filter((text) => Number.parseInt(text, 10) >= at));

function checkSavedAfterEvery({ patterns, stream }: Batch, sharing: Sharing): void {
  const rules = compileAnew(patterns, sharing);
  const whole = feedAll(rules, stream, 0, undefined, asItIs);
  const saved = feedAll(rules, stream, 0, undefined, (state) => throughBytes(state, rules));
  expect(saved.found.inOrder()).toEqual(whole.found.inOrder());
  expect(saved.states.map((state) => hexOf(state, rules))).toEqual(whole.states.map((state) => hexOf(state, rules)));
}

function checkCutAnywhere({ patterns, stream }: Batch, sharing: Sharing): void {
  const rules = compileAnew(patterns, sharing);
  const whole = feedAll(rules, stream, 0, undefined, asItIs);
  const found = whole.found.inOrder();
  const anew = compileAnew(patterns, sharing);
  for (let cut = 1; cut < stream.length; cut++) {
    const rest = feedAll(anew, stream, cut, stateOf(bytesOf(whole.states[cut], rules), anew), asItIs);
    expect(foundFrom(rest.found.inOrder(), cut)).toEqual(foundFrom(found, cut));
  }
}

function checkGivenIsKept({ patterns, stream }: Batch, sharing: Sharing): void {
  const rules = compileAnew(patterns, sharing);
  const whole = feedAll(rules, stream, 0, undefined, asItIs);
  const before = whole.states.map((state) => hexOf(state, rules));
  const found = whole.found.inOrder();
  stream.forEach((feed, at) => {
    const again = new FoundBySlot(
      patterns.length,
      rules.slots.every((slot) => !slot.shares),
    );
    again.at = at;
    // Given a second time, and long after later ones were made from it, a state must lead to the same.
    const next = feedKey(rules, whole.states[at], feed, again);
    expect(hexOf(next, rules)).toEqual(before[at + 1]);
    expect(hexOf(whole.states[at], rules)).toEqual(before[at]);
    expect(again.inOrder()).toEqual(found.map((texts) => ofFeed(texts, at)));
  });
}

const ofFeed = (texts: readonly string[], at: number): readonly string[] =>
  texts.filter((text) => Number.parseInt(text, 10) === at);

/** After an error of a skip strategy a pattern begins anew, which texts do not show: such patterns are left out. */
const withoutErrors = ({ patterns, stream }: Batch): Batch => ({
  patterns: patterns.filter(({ skip }) => !(skip && 'onMiss' in skip && skip.onMiss === 'error')),
  stream,
});

const batches = randomBatch.map(withoutErrors).filter(({ patterns }) => patterns.length > 0);
const sharings = fc.constantFrom<Sharing>('auto', 'never');
const isAccepted = (pattern: Pattern): boolean => validatePattern(pattern).length === 0;

/** Each key of a case as a case of its own. */
function byKey(c: ConformanceCase): readonly ConformanceCase[] {
  const keys = [...new Set(c.events.map(({ key }) => key))];
  return keys.map((key) => ({ ...c, events: c.events.filter((event) => event.key === key) }));
}

async function corpusBatches(name: string): Promise<readonly Batch[]> {
  const cases = (await readCases(join(CASES, name))).flatMap(byKey);
  const all = cases.map((c): Batch => ({ patterns: [patternOf(c)], stream: streamOf(c) }));
  return all
    .filter(({ patterns }) => isAccepted(patterns[0]!))
    .map(withoutErrors)
    .filter((b) => b.patterns.length > 0);
}

describe.each([
  ['saved and loaded after every event', checkSavedAfterEvery, RUNS],
  ['cut anywhere', checkCutAnywhere, RUNS / 2],
  ['given the same state again', checkGivenIsKept, RUNS / 2],
] as const)('%s, a stream gives the same', (_, check, runs) => {
  it(
    'with random patterns',
    () => {
      const property = fc.property(batches, sharings, (batch, sharing) => check(batch, sharing));
      fc.assert(property, { numRuns: Math.ceil(runs), seed: SEED });
    },
    60_000 + RUNS * 50,
  );

  it.each(FILES)('with the cases of %s', async (name) => {
    for (const batch of await corpusBatches(name)) {
      check(batch, 'auto');
      if (compileAnew(batch.patterns, 'auto').slots.some((slot) => slot.shares)) check(batch, 'never');
    }
  });
});
