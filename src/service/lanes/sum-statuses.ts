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
    matches: new Map(),
    runsDropped: 0,
    matchesDropped: 0,
    partitions: [],
  };
}

/** Counters added up, partitions of both; phase and trouble are those of `b`. */
export function sumStatuses(a: DetectorStatus, b: DetectorStatus): DetectorStatus {
  const matches = new Map(a.matches);
  for (const [pattern, count] of b.matches) matches.set(pattern, (matches.get(pattern) ?? 0) + count);
  return {
    phase: b.phase,
    trouble: b.trouble,
    recordsIn: a.recordsIn + b.recordsIn,
    recordsReplayed: a.recordsReplayed + b.recordsReplayed,
    late: a.late + b.late,
    deadLettered: a.deadLettered + b.deadLettered,
    alerts: a.alerts + b.alerts,
    matches,
    runsDropped: a.runsDropped + b.runsDropped,
    matchesDropped: a.matchesDropped + b.matchesDropped,
    partitions: [...a.partitions, ...b.partitions],
  };
}

/** What is left of a lane that is gone: its counters. */
export function countersOnly(status: DetectorStatus): DetectorStatus {
  return { ...status, partitions: [] };
}
