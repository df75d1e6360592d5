import type { CheckpointListener } from '../../../runtime/checkpoint/options.js';
import { partitionName, type TopicPartition } from '../../../runtime/ports/log.js';

export interface CheckpointListenerOptions {
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
  /** Failures of a partition in a row after which its lane is started again; 0: never. */
  readonly restartAfter: number;
  readonly restart: (partition: TopicPartition, why: Error) => void;
}

/** Says when checkpoints fail again and again, and has the lane started again where that is wanted. Single failures are reported as they come. */
export function checkpointListener(options: CheckpointListenerOptions): CheckpointListener {
  const { report, warn, restartAfter, restart } = options;
  /** By partition, since the last one that was written, or the last restart. */
  const failures = new Map<string, number>();
  return {
    onCheckpoint: (partition) => void failures.delete(partitionName(partition)),
    onFailure: (partition, error) => {
      const name = partitionName(partition);
      const inRow = (failures.get(name) ?? 0) + 1;
      failures.set(name, inRow);
      if (restartAfter === 0 || inRow < restartAfter) return;
      failures.delete(name);
      restart(partition, new Error(`${inRow} checkpoints of ${name} in a row failed: ${error.message}`));
    },
    onDegraded: (partition, error) => warn(`checkpoints of ${partitionName(partition)} fail again and again`, error),
    onRecovered: (partition) => {
      failures.delete(partitionName(partition));
      report(`checkpoints of ${partitionName(partition)} are written again`);
    },
  };
}
