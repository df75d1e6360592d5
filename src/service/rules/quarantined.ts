import type { DetectorStatus } from '../../runtime/detector.js';
import type { TopicPartition } from '../../runtime/ports/log.js';
import type { StoppedRule } from '../../runtime/task/keyed/quarantine.js';

/** Where a rule is stopped. */
export function quarantinedOf(status: DetectorStatus | null, id: string): readonly (TopicPartition & StoppedRule)[] {
  return (status?.partitions ?? []).flatMap(({ topic, partition, quarantined = [] }) =>
    quarantined.filter((stopped) => stopped.id === id).map((stopped) => ({ topic, partition, ...stopped })),
  );
}
