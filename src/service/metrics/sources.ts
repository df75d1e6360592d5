import type { CheckpointStatus } from '../../runtime/checkpoint/options.js';
import type { DetectorStatus } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { AlertSinkFollower } from '../../runtime/sinks/alert-sink-follower.js';
import type { DispatchStatus } from '../detection/alert-dispatcher.js';
import type { StreamTable } from '../feeds/table-feeds.js';
import type { RulesStatus } from '../rules/rule-control.js';

/** Where metrics are read. */
export interface MetricsSources {
  readonly clock: Clock;
  readonly detectorStatus: () => DetectorStatus | null;
  readonly handlerStatus: () => DispatchStatus;
  readonly sinks: readonly AlertSinkFollower[];
  /** Streams that are tables. */
  readonly tables: () => readonly StreamTable[];
  readonly liveStreams: () => number;
  readonly checkpoints: () => readonly CheckpointStatus[];
  /** `null`: rules cannot be changed here. */
  readonly rules: () => RulesStatus | null;
}
