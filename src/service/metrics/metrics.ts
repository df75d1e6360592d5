import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CheckpointStatus } from '../../runtime/checkpoint/options.js';
import type { DetectorListener, DetectorStatus } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { AlertSinkFollower } from '../../runtime/sinks/alert-sink-follower.js';
import type { DispatchStatus } from '../detection/alert-dispatcher.js';
import type { RulesStatus } from '../rules/rule-control.js';
import { addRuleMetrics } from './rule-metrics.js';

export interface MetricsSources {
  readonly clock: Clock;
  readonly detectorStatus: () => DetectorStatus | null;
  readonly handlerStatus: () => DispatchStatus;
  readonly sinks: readonly AlertSinkFollower[];
  readonly liveStreams: () => number;
  readonly checkpoints: () => readonly CheckpointStatus[];
  /** `null`: rules cannot be changed here. */
  readonly rules: () => RulesStatus | null;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const PHASES = ['created', 'starting', 'running', 'degraded', 'stopping', 'stopped', 'failed'] as const;

/**
 * Prometheus metrics. What the detector counts itself is read when Prometheus asks; only times are measured on the way.
 * Labels are bounded: patterns that are loaded, partitions that are owned, sinks that are set up.
 */
export class Metrics {
  readonly registry = new Registry();
  private readonly batchSeconds: Histogram;
  private readonly commitSeconds: Histogram<'result'>;

  constructor(private readonly sources: MetricsSources) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.batchSeconds = new Histogram({
      name: 'stakeout_batch_seconds',
      help: 'Time to process one batch of records',
      buckets: SECONDS,
      registers,
    });
    this.commitSeconds = new Histogram({
      name: 'stakeout_commit_seconds',
      help: 'Time of one commit of alerts and offsets',
      labelNames: ['result'],
      buckets: SECONDS,
      registers,
    });
    this.addCounters();
    this.addPartitionGauges();
    this.addSinks();
    this.addCheckpoints();
    addRuleMetrics(this.registry, this.sources);
  }

  /** To be told by the detector. */
  listener(): DetectorListener {
    return {
      onBatch: (_records, seconds) => this.batchSeconds.observe(seconds),
      onCommit: (seconds, ok) => this.commitSeconds.observe({ result: ok ? 'ok' : 'failed' }, seconds),
    };
  }

  close(): void {
    this.registry.clear();
  }

  private addCounters(): void {
    this.counter('stakeout_records_total', 'Records taken in', (status) => status.recordsIn);
    this.counter('stakeout_replayed_records_total', 'Records replayed to restore state', (s) => s.recordsReplayed);
    this.counter('stakeout_late_total', 'Events that came too late to be taken', (status) => status.late);
    this.counter('stakeout_dead_letters_total', 'Records that could not be read', (status) => status.deadLettered);
    this.counter('stakeout_alerts_total', 'Alerts committed', (status) => status.alerts);
    this.counter('stakeout_runs_dropped_total', 'Partial matches given up at a limit', (status) => status.runsDropped);
    this.counter(
      'stakeout_matches_dropped_total',
      'Matches not written out: too many at one event',
      (status) => status.matchesDropped,
    );
    const { detectorStatus } = this.sources;
    new Counter({
      name: 'stakeout_matches_total',
      help: 'Matches by pattern',
      labelNames: ['pattern'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [pattern, count] of detectorStatus()?.matches ?? []) this.inc({ pattern }, count);
      },
    });
    new Gauge({
      name: 'stakeout_detector_phase',
      help: '1 for the phase that detection is in',
      labelNames: ['phase'],
      registers: [this.registry],
      collect() {
        const current = detectorStatus()?.phase ?? 'created';
        for (const phase of PHASES) this.set({ phase }, phase === current ? 1 : 0);
      },
    });
  }

  private addPartitionGauges(): void {
    const { clock } = this.sources;
    this.total('stakeout_runs_alive', 'Partial matches', (partition) => partition.runs);
    this.total('stakeout_keys', 'Keys with state', (partition) => partition.keys);
    this.total('stakeout_keys_hot', 'Keys whose state is ready for use', ({ memory }) => memory.hotKeys);
    this.total('stakeout_keys_cold', 'Keys whose state is kept as bytes', ({ memory }) => memory.coldKeys);
    this.total('stakeout_keys_cold_bytes', 'Bytes of state that is kept as bytes', ({ memory }) => memory.coldBytes);
    this.total('stakeout_keys_table_bytes', 'Memory of the tables of keys', ({ memory }) => memory.tableBytes);
    for (const [name, help, field] of [
      ['stakeout_windows_spilled_keys', 'Keys whose windows of features are in a file', 'keys'],
      ['stakeout_windows_spilled_bytes', 'Bytes of windows of features that are in a file', 'bytes'],
      ['stakeout_windows_hits', 'Looks at windows that were in memory, of partitions that are here', 'hits'],
      ['stakeout_windows_misses', 'Looks at windows that had to be read from the file', 'misses'],
    ] as const) {
      this.total(name, help, ({ memory }) => memory.spilled?.[field] ?? 0);
    }
    this.total(
      'stakeout_patterns_quarantined',
      'Patterns that are stopped, once for each partition',
      (partition) => (partition.quarantined ?? []).length,
    );
    this.total('stakeout_buffered_events', 'Events that wait for the watermark', (partition) => partition.buffered);
    this.byPartition('stakeout_lag_records', 'Records between what is processed and the end of the log', (partition) =>
      Math.max(0, partition.endOffset - partition.position),
    );
    // A partition that is idle at its end is behind nothing, however old its last event is.
    this.byPartition(
      'stakeout_event_time_lag_milliseconds',
      'Time since the event time up to which everything is processed',
      ({ watermark, idle, position, endOffset }) =>
        watermark === null ? null : idle && position >= endOffset ? 0 : Math.max(0, clock.now() - watermark),
    );
  }

  private addCheckpoints(): void {
    const { checkpoints, clock } = this.sources;
    const registers = [this.registry];
    const labelNames = ['topic', 'partition'] as const;
    new Gauge({
      name: 'stakeout_checkpoint_age_seconds',
      help: 'Time since the last checkpoint of a partition',
      ...{ labelNames, registers },
      collect() {
        this.reset();
        for (const { topic, partition, last } of checkpoints()) {
          if (last !== null) this.set({ topic, partition }, Math.max(0, clock.now() - last.timeMs) / 1000);
        }
      },
    });
    for (const [name, help, field] of [
      ['stakeout_checkpoints', 'Checkpoints written since the partition came', 'written'],
      ['stakeout_checkpoint_bytes', 'Bytes of checkpoints written since the partition came', 'bytesWritten'],
      ['stakeout_checkpoint_failures', 'Checkpoints that failed since the partition came', 'failed'],
    ] as const) {
      new Gauge({
        ...{ name, help, labelNames, registers },
        collect() {
          this.reset();
          for (const status of checkpoints()) {
            this.set({ topic: status.topic, partition: status.partition }, status[field]);
          }
        },
      });
    }
  }

  private addSinks(): void {
    const { sinks, handlerStatus, liveStreams } = this.sources;
    const registers = [this.registry];
    const labelNames = ['sink'] as const;
    new Gauge({
      name: 'stakeout_sink_lag_records',
      help: 'Committed alerts that a sink has not written yet',
      labelNames,
      registers,
      collect() {
        for (const { name, lag } of sinks.map((sink) => sink.status())) {
          this.set(
            { sink: name },
            [...lag.values()].reduce((sum, records) => sum + records, 0),
          );
        }
      },
    });
    for (const [name, help, field] of [
      ['stakeout_sink_written_total', 'Alerts that a sink has written', 'written'],
      ['stakeout_sink_failures_total', 'Tries of a sink that failed', 'failures'],
    ] as const) {
      new Counter({
        ...{ name, help, labelNames, registers },
        collect() {
          this.reset();
          for (const status of sinks.map((sink) => sink.status())) this.inc({ sink: status.name }, status[field]);
        },
      });
    }
    new Counter({
      name: 'stakeout_handler_calls_total',
      help: "Calls of the application's own handlers of alerts; dropped: no call, because too many alerts were waiting",
      labelNames: ['result'],
      registers,
      collect() {
        this.reset();
        const { handled, failed, dropped } = handlerStatus();
        this.inc({ result: 'ok' }, handled);
        this.inc({ result: 'failed' }, failed);
        this.inc({ result: 'dropped' }, dropped);
      },
    });
    new Gauge({
      name: 'stakeout_live_streams',
      help: 'Clients that watch alerts live',
      registers,
      collect() {
        this.set(liveStreams());
      },
    });
  }

  private counter(name: string, help: string, read: (status: DetectorStatus) => number): void {
    const { detectorStatus } = this.sources;
    new Counter({
      ...{ name, help, registers: [this.registry] },
      collect() {
        const status = detectorStatus();
        this.reset();
        this.inc(status === null ? 0 : read(status));
      },
    });
  }

  private total(name: string, help: string, read: (partition: DetectorStatus['partitions'][number]) => number): void {
    const { detectorStatus } = this.sources;
    new Gauge({
      ...{ name, help, registers: [this.registry] },
      collect() {
        this.set((detectorStatus()?.partitions ?? []).reduce((sum, partition) => sum + read(partition), 0));
      },
    });
  }

  private byPartition(
    name: string,
    help: string,
    read: (partition: DetectorStatus['partitions'][number]) => number | null,
  ): void {
    const { detectorStatus } = this.sources;
    new Gauge({
      ...{ name, help, labelNames: ['topic', 'partition'] as const, registers: [this.registry] },
      collect() {
        this.reset();
        for (const partition of detectorStatus()?.partitions ?? []) {
          const value = read(partition);
          if (value !== null) this.set({ topic: partition.topic, partition: partition.partition }, value);
        }
      },
    });
  }
}
