import type { DetectorStatus, LaneLoad } from '../../runtime/detector.js';
import type { Readings } from './readings.js';
import type { MetricsSources } from './sources.js';

const PHASES = ['created', 'starting', 'running', 'degraded', 'stopping', 'stopped', 'failed'] as const;

/** What detection counts itself, and what its threads do. */
export function addDetectorMetrics(readings: Readings, { detectorStatus }: MetricsSources): void {
  const counter = (name: string, help: string, read: (status: DetectorStatus) => number): void =>
    readings.counter(name, help, () => {
      const status = detectorStatus();
      return status === null ? 0 : read(status);
    });
  counter('stakeout_records_total', 'Records taken in', (status) => status.recordsIn);
  counter('stakeout_replayed_records_total', 'Records replayed to restore state', (status) => status.recordsReplayed);
  counter('stakeout_late_total', 'Events that came too late to be taken', (status) => status.late);
  counter('stakeout_dead_letters_total', 'Records that could not be read', (status) => status.deadLettered);
  counter('stakeout_alerts_total', 'Alerts committed', (status) => status.alerts);
  counter(
    'stakeout_near_misses_total',
    'Partial matches that ended one step short, of patterns that tell them',
    (status) => status.nearMisses,
  );
  counter('stakeout_runs_dropped_total', 'Partial matches given up at a limit', (status) => status.runsDropped);
  counter(
    'stakeout_matches_dropped_total',
    'Matches not written out: too many at one event',
    (status) => status.matchesDropped,
  );
  counter(
    'stakeout_backpressure_seconds_total',
    'Time in which no input was taken, because too much that was given out was not durable yet',
    (status) => status.backpressureSeconds,
  );
  readings.gauge(
    'stakeout_outputs_waiting_records',
    'Records that were given out, and are not durable or not committed yet',
    () => detectorStatus()?.outputsWaiting ?? 0,
  );
  readings.counters('stakeout_matches_total', 'Matches by pattern', ['pattern'], () =>
    [...(detectorStatus()?.matches ?? [])].map(([pattern, count]) => [{ pattern }, count]),
  );
  readings.counters(
    'stakeout_pattern_steps_total',
    'Times that a pattern had to look at an event of a key; patterns that do the same are stepped as one',
    ['pattern'],
    () => [...(detectorStatus()?.steps ?? [])].map(([pattern, count]) => [{ pattern }, count]),
  );
  readings.gauges(
    'stakeout_pattern_runs',
    'Partial matches alive by pattern, on the scale of all that are alive; exact while a lane has less than some hundred keys with any',
    ['pattern'],
    () => [...(detectorStatus()?.runs ?? [])].map(([pattern, count]) => [{ pattern }, count]),
  );
  readings.gauges('stakeout_detector_phase', '1 for the phase that detection is in', ['phase'], () => {
    const current = detectorStatus()?.phase ?? 'created';
    return PHASES.map((phase) => [{ phase }, phase === current ? 1 : 0]);
  });
  addLanes(readings, () => detectorStatus()?.lanes ?? []);
}

/** The main thread is in the `nodejs_` metrics. */
function addLanes(readings: Readings, lanes: () => readonly LaneLoad[]): void {
  const each = (read: (load: LaneLoad) => number) => () =>
    lanes().map((load) => [{ lane: load.lane }, read(load)] as const);
  const counter = (name: string, help: string, read: (load: LaneLoad) => number): void =>
    readings.counters(name, help, ['lane'], each(read));
  const gauge = (name: string, help: string, read: (load: LaneLoad) => number): void =>
    readings.gauges(name, help, ['lane'], each(read));
  counter('stakeout_lane_restarts_total', 'Times that the thread of a lane was started again', (l) => l.restarts);
  counter('stakeout_lane_busy_seconds_total', 'Time in which the thread of a lane worked', (l) => l.busySeconds);
  counter('stakeout_lane_gc_seconds_total', 'Time of garbage collection in the thread of a lane', (l) => l.gcSeconds);
  counter('stakeout_lane_gc_pauses_total', 'Garbage collections in the thread of a lane', (l) => l.gcPauses);
  gauge(
    'stakeout_lane_eventloop_delay_seconds',
    'Longest time that the event loop of a lane was held up in the last 15 to 30 s',
    (l) => l.loopDelaySeconds,
  );
  gauge('stakeout_lane_heap_bytes', 'Heap and buffers of the thread of a lane', (l) => l.heapBytes);
}
