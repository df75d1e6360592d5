import type { DetectorPhase, DetectorStatus } from '../../runtime/detector.js';

export function emptyStatus(phase: DetectorPhase): DetectorStatus {
  return {
    phase,
    trouble: null,
    recordsIn: 0,
    recordsReplayed: 0,
    late: 0,
    deadLettered: 0,
    alerts: 0,
    nearMisses: 0,
    matches: new Map(),
    steps: new Map(),
    runsDropped: 0,
    matchesDropped: 0,
    backpressureSeconds: 0,
    outputsWaiting: 0,
    partitions: [],
  };
}

/** Counters added up, partitions of both; phase and trouble are those of `b`. */
export function sumStatuses(a: DetectorStatus, b: DetectorStatus): DetectorStatus {
  return {
    phase: b.phase,
    trouble: b.trouble,
    recordsIn: a.recordsIn + b.recordsIn,
    recordsReplayed: a.recordsReplayed + b.recordsReplayed,
    late: a.late + b.late,
    deadLettered: a.deadLettered + b.deadLettered,
    alerts: a.alerts + b.alerts,
    nearMisses: a.nearMisses + b.nearMisses,
    matches: sumOf(a.matches, b.matches),
    steps: sumOf(a.steps, b.steps),
    ...(a.runs || b.runs ? { runs: sumOf(a.runs ?? new Map(), b.runs ?? new Map()) } : {}),
    runsDropped: a.runsDropped + b.runsDropped,
    matchesDropped: a.matchesDropped + b.matchesDropped,
    backpressureSeconds: a.backpressureSeconds + b.backpressureSeconds,
    outputsWaiting: a.outputsWaiting + b.outputsWaiting,
    ...(a.lanes || b.lanes ? { lanes: [...(a.lanes ?? []), ...(b.lanes ?? [])] } : {}),
    partitions: [...a.partitions, ...b.partitions],
  };
}

/** What is left of a lane that is gone: its counters. */
export function countersOnly(status: DetectorStatus): DetectorStatus {
  const { lanes: _, runs: __, ...counters } = status;
  return { ...counters, outputsWaiting: 0, partitions: [] };
}

function sumOf(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const sum = new Map(a);
  for (const [pattern, count] of b) sum.set(pattern, (sum.get(pattern) ?? 0) + count);
  return sum;
}
