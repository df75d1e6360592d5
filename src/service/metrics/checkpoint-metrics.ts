import type { CheckpointStatus } from '../../runtime/checkpoint/options.js';
import type { Readings, Sample } from './readings.js';
import type { MetricsSources } from './sources.js';

const LABELS = ['topic', 'partition'] as const;

/** Of the partitions that are owned here; counters begin anew when a partition comes. */
export function addCheckpointMetrics(readings: Readings, { checkpoints, clock }: MetricsSources): void {
  const each = (read: (status: CheckpointStatus) => number | null) => (): readonly Sample[] =>
    checkpoints().flatMap((status) => {
      const value = read(status);
      return value === null ? [] : [[{ topic: status.topic, partition: status.partition }, value] as const];
    });
  const gauge = (name: string, help: string, read: (status: CheckpointStatus) => number | null): void =>
    readings.gauges(name, help, LABELS, each(read));

  readings.counters('stakeout_checkpoints_total', 'Checkpoints by result', [...LABELS, 'result'], () =>
    checkpoints().flatMap(({ topic, partition, written, failed }) => [
      [{ topic, partition, result: 'ok' }, written],
      [{ topic, partition, result: 'failed' }, failed],
    ]),
  );
  readings.counters(
    'stakeout_checkpoint_written_bytes_total',
    'Bytes of checkpoints that were written',
    LABELS,
    each(({ bytesWritten }) => bytesWritten),
  );
  gauge('stakeout_checkpoint_age_seconds', 'Time since the last checkpoint of a partition was begun', ({ last }) =>
    last === null ? null : Math.max(0, clock.now() - last.timeMs) / 1000,
  );
  gauge('stakeout_checkpoint_duration_seconds', 'Time that the last checkpoint of a partition took', ({ last }) =>
    last === null ? null : last.durationMs / 1000,
  );
  gauge('stakeout_checkpoint_size_bytes', 'Bytes of the last checkpoint of a partition', ({ last }) =>
    last === null ? null : last.bytes,
  );
  gauge(
    'stakeout_checkpoint_changed_bytes',
    'Memory that holds what changed in a partition since its last checkpoint',
    ({ changedBytes }) => changedBytes,
  );
}
