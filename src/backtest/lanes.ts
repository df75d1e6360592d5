import { AlertDigest } from './digest.js';
import { Findings, type FoundByLane } from './findings.js';
import type { PopulationData } from './population.js';
import type { RunResult } from './run-files.js';

/** One of several threads that share out the keys; `index` from 0. */
export interface Lane {
  readonly index: number;
  readonly of: number;
}

/** What a lane has found. It can be sent between threads. */
export interface LaneResult {
  readonly run: RunResult;
  readonly found: FoundByLane;
  /** Of the events that this lane alone has counted. */
  readonly population: PopulationData;
  /** Seconds of attempts before, up to where this one went on. */
  readonly secondsBefore: number;
}

/**
 * Which keys a lane has, where streams are not shared out by partition. Each lane reads all events, so that event time, and which
 * events are late, are the same in all, and steps those of its own keys: what it finds is what one lane alone would find for these keys.
 * So any rules can be shared out, whatever their keys. The first lane counts the events.
 */
export function keysOf({ index, of }: Lane): ((key: string) => boolean) | undefined {
  return of === 1 ? undefined : (key) => laneOf(key, of) === index;
}

/** FNV-1a with a last mixing, so that numbers in a row are spread as well. */
function laneOf(key: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % lanes;
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
