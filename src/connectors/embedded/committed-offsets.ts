import { type OffsetCommit, partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import { PartitionLog } from './partition-log.js';
import type { PartitionSettings } from './partition-settings.js';

const SEGMENT_BYTES = 1024 * 1024;

interface Key extends TopicPartition {
  readonly group: string;
}

/** The offsets of all groups: in memory, and in a compacted partition of their own. */
export class CommittedOffsets {
  private readonly groups = new Map<string, Map<string, number>>();

  private constructor(
    private readonly log: PartitionLog,
    private readonly now: () => number,
  ) {}

  static async open(directory: string, settings: PartitionSettings): Promise<CommittedOffsets> {
    const log = await PartitionLog.open(directory, { ...settings, compacted: true, segmentBytes: SEGMENT_BYTES });
    const offsets = new CommittedOffsets(log, () => settings.clock.now());
    try {
      await offsets.load();
    } catch (error) {
      await log.close();
      throw error;
    }
    return offsets;
  }

  of(groupId: string): ReadonlyMap<string, number> {
    return new Map(this.groups.get(groupId));
  }

  async commit(group: string, offsets: readonly OffsetCommit[]): Promise<void> {
    const timestamp = this.now();
    await this.log.append(
      offsets.map(({ topic, partition, offset, metadata }) => ({
        timestamp,
        key: Buffer.from(JSON.stringify({ group, topic, partition } satisfies Key)),
        value: Buffer.from(JSON.stringify({ offset, metadata })),
        headers: null,
      })),
    );
    for (const offset of offsets) {
      this.set(group, offset);
    }
  }

  close(): Promise<void> {
    return this.log.close();
  }

  private async load(): Promise<void> {
    for (let position = this.log.begin; position < this.log.end; ) {
      const { records, nextOffset } = await this.log.read(position);
      for (const { key, value } of records) {
        const { group, topic, partition } = parse(key) as Key;
        this.set(group, { topic, partition, ...(parse(value) as { offset: number }) });
      }
      position = nextOffset;
    }
  }

  private set(group: string, commit: OffsetCommit): void {
    const offsets = this.groups.get(group) ?? new Map<string, number>();
    this.groups.set(group, offsets);
    offsets.set(partitionName(commit), commit.offset);
  }
}

function parse(bytes: Uint8Array | null): unknown {
  return JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
}
