import type { PendingRecord } from '../../runtime/local-log/storage.js';
import { type OffsetCommit, partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import { PartitionLog } from './partition/partition-log.js';
import type { PartitionSettings } from './partition/partition-settings.js';

const SEGMENT_BYTES = 1024 * 1024;

interface Key extends TopicPartition {
  readonly group: string;
}

/** The offsets of all groups: in memory, and in a compacted partition of their own. They are known once `load` has resolved. */
export class CommittedOffsets {
  private readonly groups = new Map<string, Map<string, number>>();

  private constructor(
    readonly log: PartitionLog,
    private readonly now: () => number,
  ) {}

  static async open(directory: string, settings: PartitionSettings): Promise<CommittedOffsets> {
    const log = await PartitionLog.open(directory, { ...settings, compacted: true, segmentBytes: SEGMENT_BYTES });
    return new CommittedOffsets(log, () => settings.clock.now());
  }

  of(groupId: string): ReadonlyMap<string, number> {
    return new Map(this.groups.get(groupId));
  }

  async commit(group: string, offsets: readonly OffsetCommit[]): Promise<void> {
    await this.log.append(this.records(group, offsets));
    this.set(group, offsets);
  }

  /** What a commit is in `log`. */
  records(group: string, offsets: readonly OffsetCommit[]): PendingRecord[] {
    const timestamp = this.now();
    return offsets.map(({ topic, partition, offset, metadata }) => ({
      timestamp,
      key: Buffer.from(JSON.stringify({ group, topic, partition } satisfies Key)),
      value: Buffer.from(JSON.stringify({ offset, metadata })),
      headers: null,
    }));
  }

  /** They are in `log`. */
  set(group: string, commits: readonly OffsetCommit[]): void {
    const offsets = this.groups.get(group) ?? new Map<string, number>();
    this.groups.set(group, offsets);
    for (const commit of commits) {
      offsets.set(partitionName(commit), commit.offset);
    }
  }

  close(): Promise<void> {
    return this.log.close();
  }

  async load(): Promise<void> {
    for (let position = this.log.begin; position < this.log.end; ) {
      const { records, nextOffset } = await this.log.read(position);
      for (const { key, value } of records) {
        const { group, topic, partition } = parse(key) as Key;
        this.set(group, [{ topic, partition, ...(parse(value) as { offset: number }) }]);
      }
      position = nextOffset;
    }
  }
}

function parse(bytes: Uint8Array | null): unknown {
  return JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
}
