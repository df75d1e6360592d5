/**
 * Conditions as generated code and as closures: evaluations a second of the same checked trees.
 *
 *     node --import ./test/harness/run-typescript.mjs bench/conditions.ts [--events 5000] [--passes 5] [--json]
 *
 * The two take turns, pass by pass, in one process; the median counts. Counts of what holds must agree. Left out: what the
 * predicate index saves (it evaluates most conditions not at all), and the time to make the functions.
 */
import { parseArgs } from 'node:util';
import { percent, times, whole } from '../src/bench/format/numbers.js';
import { formatTable } from '../src/bench/format/table.js';
import { eventsOf } from '../src/bench/measure/engine-pass.js';
import { median } from '../src/bench/measure/passes.js';
import { generateRows } from '../src/bench/stream/generate.js';
import { parseStream } from '../src/bench/stream/spec.js';
import type { EngineEvent } from '../src/engine/index.js';
import { CASES, type ConditionCase, type ConditionTest, generatedOf, treeOf } from './conditions/cases.js';
import { closureOf } from './conditions/closures.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '5000' },
    passes: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

interface Figures {
  readonly name: string;
  /** Evaluations a second, medians. */
  readonly generated: number;
  readonly closures: number;
  readonly ratio: number;
  /** Share of evaluations that were true. */
  readonly holds: number;
}

const WARMUP = 2;
/** Evaluations in a pass, at least; so few events that they stay in the processor's cache. */
const EVALUATIONS = 4_000_000;

function measure({ name, conditions }: ConditionCase, events: readonly EngineEvent[], passes: number): Figures {
  const trees = conditions.map(treeOf);
  const evaluations = events.length * conditions.length;
  const rounds = Math.ceil(EVALUATIONS / evaluations);
  const ways = [trees.map(generatedOf), trees.map(closureOf)] as const;
  const rates: [number[], number[]] = [[], []];
  const counts = [0, 0];
  for (let pass = -WARMUP; pass < passes; pass++) {
    for (const way of [0, 1] as const) {
      const began = performance.now();
      for (let round = 0; round < rounds; round++) counts[way] = countTrue(ways[way], events);
      const seconds = (performance.now() - began) / 1000;
      if (pass >= 0) rates[way].push((rounds * evaluations) / seconds);
    }
  }
  if (counts[0] !== counts[1]) throw new Error(`${name}: ${counts.join(' and ')} are true`);
  const [generated, closures] = rates.map((each) => median(each.sort((a, b) => a - b))) as [number, number];
  return {
    name,
    generated,
    closures,
    ratio: generated / closures,
    holds: counts[0]! / evaluations,
  };
}

function countTrue(tests: readonly ConditionTest[], events: readonly EngineEvent[]): number {
  let count = 0;
  for (const event of events) {
    const { fields } = event;
    for (const test of tests) if (test(event, fields, null) === true) count++;
  }
  return count;
}

const events = eventsOf(generateRows(parseStream(`u5k/${values.events}/10000`)));
const figures = CASES.map((each) => measure(each, events, Number(values.passes)));
if (values.json) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  const table = formatTable<Figures>(
    [
      { title: 'conditions', align: 'left', text: (f) => f.name },
      { title: 'generated/s', text: (f) => whole(f.generated) },
      { title: 'closures/s', text: (f) => whole(f.closures) },
      { title: 'generated to closures', text: (f) => times(f.ratio) },
      { title: 'true', text: (f) => percent(f.holds) },
    ],
    figures,
  );
  process.stdout.write(`${table}\n`);
}
