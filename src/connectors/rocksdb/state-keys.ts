import type { TopicPartition } from '../../runtime/ports/log.js';

/** What follows a partition's prefix: its cut, or an entry's key. */
const CUT = 0;
const ENTRY = 1;
const AFTER = 2;

/**
 * Where one partition's state lies in the database: `<topic> 0x00 <partition, 4 bytes, big endian> <kind> <key>`.
 *
 * Partitions share one column family and are told apart by prefix, because each column family has write buffers of its own
 * (memory would grow with the number of partitions), because this binding wants column families named before the database is opened
 * (partitions come and go), and because blocks store a shared prefix once. A topic's name has no zero byte, so no prefix begins
 * another.
 */
export class StateKeys {
  readonly cut: Buffer;
  /** Entries lie at or after this … */
  readonly entriesBegin: Buffer;
  /** … and before this, which is also where the partition's range ends; it begins at `cut`. */
  readonly end: Buffer;
  private readonly prefix: Buffer;

  constructor({ topic, partition }: TopicPartition) {
    const number = Buffer.alloc(5);
    number.writeUInt32BE(partition, 1);
    this.prefix = Buffer.concat([Buffer.from(topic), number]);
    this.cut = this.withKind(CUT);
    this.entriesBegin = this.withKind(ENTRY);
    this.end = this.withKind(AFTER);
  }

  entry(key: Uint8Array): Buffer {
    return Buffer.concat([this.entriesBegin, key]);
  }

  /** The key of an entry, from the database's key. */
  keyOf(stored: Buffer): Buffer {
    return stored.subarray(this.entriesBegin.length);
  }

  private withKind(kind: number): Buffer {
    return Buffer.concat([this.prefix, Uint8Array.of(kind)]);
  }
}
