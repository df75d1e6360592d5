import type { PartitionStatus } from '../../runtime/detector.js';
import type { Readings } from './readings.js';
import type { MetricsSources } from './sources.js';

const LABELS = ['topic', 'partition'] as const;

/** Of the partitions that are owned here: how far they are, and what they hold. */
export function addPartitionMetrics(readings: Readings, { detectorStatus, clock }: MetricsSources): void {
  const partitions = (): readonly PartitionStatus[] => detectorStatus()?.partitions ?? [];
  const sum = (name: string, help: string, read: (partition: PartitionStatus) => number): void =>
    readings.gauge(name, help, () => partitions().reduce((total, partition) => total + read(partition), 0));
  const each = (name: string, help: string, read: (partition: PartitionStatus) => number | null): void =>
    readings.gauges(name, help, LABELS, () =>
      partitions().flatMap((of) => {
        const value = read(of);
        return value === null ? [] : [[{ topic: of.topic, partition: of.partition }, value] as const];
      }),
    );

  readings.gauges('stakeout_partitions', 'Partitions that are owned here by phase', ['phase'], () =>
    (['restoring', 'live'] as const).map((phase) => [{ phase }, partitions().filter((p) => p.phase === phase).length]),
  );
  each('stakeout_lag_records', 'Records between what is processed and the end of the log', lagRecords);
  each(
    'stakeout_lag_seconds',
    'Age of the last record that was processed, by the time of the log, while there are more; 0 at the end',
    (of) => (lagRecords(of) === 0 ? 0 : secondsSince(of.recordTime, clock.now())),
  );
  each('stakeout_position_records', 'Offset of the next record to process', ({ position }) => position);
  each('stakeout_watermark_timestamp_seconds', 'Event time up to which everything is processed', ({ watermark }) =>
    watermark === null ? null : watermark / 1000,
  );
  // A partition that is idle at its end is behind nothing, however old its last event is.
  each('stakeout_event_time_lag_seconds', 'Time since the event time up to which everything is processed', (of) =>
    of.idle && lagRecords(of) === 0 ? 0 : secondsSince(of.watermark, clock.now()),
  );
  sum('stakeout_runs_alive', 'Partial matches', ({ runs }) => runs);
  sum('stakeout_buffered_events', 'Events that wait for the watermark', ({ buffered }) => buffered);
  sum(
    'stakeout_patterns_quarantined',
    'Patterns that are stopped, once for each partition',
    ({ quarantined = [] }) => quarantined.length,
  );
  sum('stakeout_keys', 'Keys with state', ({ keys }) => keys);
  sum('stakeout_keys_hot', 'Keys whose state is ready for use', ({ memory }) => memory.hotKeys);
  sum('stakeout_keys_cold', 'Keys whose state is kept as bytes', ({ memory }) => memory.coldKeys);
  sum('stakeout_keys_cold_bytes', 'Bytes of state that is kept as bytes', ({ memory }) => memory.coldBytes);
  sum('stakeout_keys_table_bytes', 'Memory of the tables of keys', ({ memory }) => memory.tableBytes);
  sum(
    'stakeout_state_records_bytes',
    'Memory that says which parts of large states are in the store',
    ({ memory }) => memory.recordBytes ?? 0,
  );
  sum('stakeout_state_bytes', 'State of keys in memory and in the file of windows, but for that of hot keys', (of) => {
    const { coldBytes, tableBytes, recordBytes, spilled } = of.memory;
    return coldBytes + tableBytes + (recordBytes ?? 0) + (spilled?.bytes ?? 0);
  });
  for (const [name, help, field] of [
    ['stakeout_windows_spilled_keys', 'Keys whose windows of features are in a file', 'keys'],
    ['stakeout_windows_spilled_bytes', 'Bytes of windows of features that are in a file', 'bytes'],
    ['stakeout_windows_hits', 'Looks at windows that were in memory, of partitions that are here', 'hits'],
    ['stakeout_windows_misses', 'Looks at windows that had to be read from the file', 'misses'],
  ] as const) {
    sum(name, help, ({ memory }) => memory.spilled?.[field] ?? 0);
  }
}

const lagRecords = ({ endOffset, position }: PartitionStatus): number => Math.max(0, endOffset - position);

const secondsSince = (timeMs: number | null, nowMs: number): number | null =>
  timeMs === null ? null : Math.max(0, nowMs - timeMs) / 1000;
