import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Bytes that were ever written to the files of some folders, deleted files included, as far as looking now and then can tell: the
 * largest size that each file was seen with. A file that came and went between two looks is missed, and so is what was written
 * over; programs that only append (RocksDB, a Kafka broker's segments, checkpoints) do not write over.
 */
export class FolderGrowth {
  private readonly sizes = new Map<string, { group: string; bytes: number }>();

  /** `patterns`: of files, by the group they count to. */
  constructor(private readonly patterns: Readonly<Record<string, readonly string[]>>) {}

  look(): void {
    for (const [group, patterns] of Object.entries(this.patterns)) {
      for (const file of patterns.flatMap((pattern) => globSync(pattern))) this.note(group, file);
    }
  }

  /** Bytes of each group up to now. */
  bytes(): Record<string, number> {
    this.look();
    const sums = Object.fromEntries(Object.keys(this.patterns).map((group) => [group, 0]));
    for (const { group, bytes } of this.sizes.values()) sums[group]! += bytes;
    return sums;
  }

  /** By inode, so that a file that is renamed when it is whole counts once. */
  private note(group: string, file: string): void {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return;
    const name = `${found.dev} ${found.ino} ${found.birthtimeMs}`;
    const known = this.sizes.get(name);
    if (known === undefined) this.sizes.set(name, { group, bytes: found.size });
    else known.bytes = Math.max(known.bytes, found.size);
  }
}

/** Segments of topics in the folder of a broker of the test harness. */
export const segmentsOf = (kafka: string, topics: readonly string[]): string[] =>
  topics.map((topic) => join(kafka, 'node-*', 'data', `${topic}-[0-9]*`, '*.log'));
