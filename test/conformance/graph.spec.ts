import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CaseEvent,
  type CaseMatch,
  type ConformanceCase,
  KIND_PARENTS,
  patternOf,
} from '../../src/cli/conformance/case.js';
import { readCases } from '../../src/cli/conformance/command.js';
import { judge } from '../../src/cli/conformance/compare.js';
import { type CompiledPattern, compilePattern, validatePattern } from '../../src/engine/compiler/compile.js';
import { fitsGraph } from '../../src/engine/graph/eligible.js';
import type { GraphState } from '../../src/engine/graph/node.js';
import { processGraph } from '../../src/engine/graph/process.js';
import type { Match } from '../../src/engine/index.js';
import { UNLIMITED } from '../harness/graph-run.js';

const CASES = join(import.meta.dirname, 'cases');
const FILES = readdirSync(CASES).filter((name) => name.endsWith('.json'));

/** Events in the order in which they are processed: without late ones, by time, and within one time as the case says. */
function inOrder({ events, time, expected }: ConformanceCase): CaseEvent[] {
  const field = time?.sameTimestampOrder?.field;
  const tie = (e: CaseEvent): number | string => (field === undefined ? 0 : (e[field] as number | string));
  return events
    .filter((e) => !expected.late.includes(e.id))
    .sort((a, b) => a.ts - b.ts || (tie(a) < tie(b) ? -1 : tie(a) > tie(b) ? 1 : 0));
}

function runByGraph(c: ConformanceCase, pattern: CompiledPattern) {
  const states = new Map<string, GraphState | undefined>();
  const matches = new Map<string, CaseMatch[]>(c.events.map(({ key = '' }) => [key, []]));
  inOrder(c).forEach((fields, seq) => {
    const { key = '' } = fields;
    const onMatch = ({ steps }: Match): void => {
      const events = Object.fromEntries(steps.map((s) => [s.name, s.events.map((e) => e.fields.id as string)]));
      matches.get(key)!.push({ at: fields.id, ...(c.tags.includes('keyed') ? { key } : {}), events });
    };
    const event = { time: fields.ts, seq, kind: fields.kind, fields };
    states.set(key, processGraph(pattern, states.get(key), event, { onMatch }, UNLIMITED));
  });
  return { matches: [...matches.values()].flat(), timeouts: c.expected.timeouts, late: c.expected.late };
}

describe('conformance of the shared graph with Flink CEP 2.3', () => {
  let cases = 0;
  let matches = 0;

  it.each(FILES)('%s: cases that fit the graph give the matches that Flink gives', async (name) => {
    for (const c of await readCases(join(CASES, name))) {
      // An input that stays open leaves its last events unprocessed; what is tested there is the watermark.
      if (c.expected.invalid || c.time?.finalWatermark !== undefined || validatePattern(patternOf(c)).length > 0)
        continue;
      const pattern = compilePattern(patternOf(c), { kindParents: KIND_PARENTS });
      if (!fitsGraph(pattern)) continue;
      // Matches of one event that begin with the same event come in an order of our own.
      const verdict = judge({ ...c, events: inOrder(c), tags: [...c.tags, 'tie-order'] }, runByGraph(c, pattern));
      expect({ id: c.id, verdict }).toEqual({ id: c.id, verdict: { kind: 'passed' } });
      cases++;
      matches += c.expected.matches.length;
    }
  });

  it('is tried on a good part of the corpus', () => {
    expect(cases).toBeGreaterThan(1000);
    expect(matches).toBeGreaterThan(5000);
  });
});
