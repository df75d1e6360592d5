import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { DetectorListener } from '../../runtime/detector.js';
import { packageVersion } from '../version.js';
import { addCheckpointMetrics } from './checkpoint-metrics.js';
import { DecisionMetrics } from './decision-metrics.js';
import { addDetectorMetrics } from './detector-metrics.js';
import { addPartitionMetrics } from './partition-metrics.js';
import { PatternLatency } from './pattern-latency.js';
import { Readings } from './readings.js';
import { addRuleMetrics } from './rule-metrics.js';
import { addSinkMetrics } from './sink-metrics.js';
import type { MetricsSources } from './sources.js';
import { addTableMetrics } from './table-metrics.js';

export type { MetricsSources } from './sources.js';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What waits for event time waits for seconds, and what is caught up with for hours. */
const LATENCY_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 3600];

/**
 * Prometheus metrics. What is counted elsewhere is read when Prometheus asks; only times are measured on the way. Units are in
 * the names: seconds, bytes, records.
 * Labels are bounded: patterns that are loaded, partitions that are owned, lanes, sinks that are set up.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly patternLatency = new PatternLatency();
  readonly decisions = new DecisionMetrics(this.registry);
  private readonly batchSeconds: Histogram;
  private readonly commitSeconds: Histogram<'result'>;
  private readonly latencySeconds: Histogram;

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
    this.latencySeconds = new Histogram({
      name: 'stakeout_alert_latency_seconds',
      help: 'From the event time at which a match is complete until its alert is committed',
      buckets: LATENCY_SECONDS,
      registers,
    });
    const readings = new Readings(this.registry);
    const version = packageVersion();
    readings.gauges('stakeout_build_info', '1; the version that runs', ['version', 'node'], () => [
      [{ version, node: process.version }, 1],
    ]);
    addDetectorMetrics(readings, sources);
    addPartitionMetrics(readings, sources);
    addSinkMetrics(readings, sources);
    addCheckpointMetrics(readings, sources);
    addRuleMetrics(readings, sources);
    addTableMetrics(readings, sources);
    readings.gauges(
      'stakeout_pattern_alert_latency_seconds',
      'Of the newest 1,000 alerts of a pattern, what 99 in 100 did not exceed: from the event time at which a match is complete until its alert is committed',
      ['pattern'],
      () => [...this.patternLatency.patterns].map((pattern) => [{ pattern }, this.patternLatency.p99(pattern)! / 1000]),
    );
  }

  /** To be told by the detector. */
  listener(): DetectorListener {
    const { clock } = this.sources;
    return {
      onAlert: ({ patternId, detectedAt }) => {
        const ms = Math.max(0, clock.now() - detectedAt);
        this.latencySeconds.observe(ms / 1000);
        this.patternLatency.observe(patternId, ms);
      },
      onBatch: (_records, seconds) => this.batchSeconds.observe(seconds),
      onCommit: (seconds, ok) => this.commitSeconds.observe({ result: ok ? 'ok' : 'failed' }, seconds),
    };
  }

  close(): void {
    this.registry.clear();
  }
}
