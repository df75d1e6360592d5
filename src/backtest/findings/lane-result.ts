import { AlertDigest } from '../run/digest.js';
import type { RunResult } from '../run/run-options.js';
import { Findings, type FoundByLane } from './findings.js';
import type { PopulationData } from './population.js';

/** What a lane has found. It can be sent between threads. */
export interface LaneResult {
  readonly run: RunResult;
  readonly found: FoundByLane;
  /** Of the events that this lane alone has counted. */
  readonly population: PopulationData;
  /** Seconds of attempts before, up to where this one went on. */
  readonly secondsBefore: number;
}

/** Puts together what lanes have found. Each has counted other events. */
export function together([first, ...others]: readonly [LaneResult, ...LaneResult[]]): {
  readonly run: RunResult;
  readonly findings: Findings;
} {
  const findings = new Findings();
  const digest = new AlertDigest();
  const byPattern: Record<string, number> = {};
  const passedByAll: Record<string, number> = {};
  const sums = { events: 0, alerts: 0, late: 0, badRows: 0, nearMisses: 0 };
  for (const { run, found } of [first, ...others]) {
    findings.merge(found);
    digest.merge(run.digest);
    for (const name of ['events', 'alerts', 'late', 'badRows', 'nearMisses'] as const) sums[name] += run[name];
    for (const [id, count] of Object.entries(run.byPattern)) byPattern[id] = (byPattern[id] ?? 0) + count;
    for (const [id, time] of Object.entries(run.passedByAll)) passedByAll[id] = Math.min(time, passedByAll[id] ?? time);
  }
  findings.sort();
  return { run: { ...first.run, ...sums, byPattern, passedByAll, digest: digest.hex() }, findings };
}
