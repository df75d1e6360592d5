import type { JournalEntry } from '../../../src/runtime/journal/journal.js';
import {
  type OffsetCommit,
  type OutgoingRecord,
  partitionName,
  type TopicPartition,
} from '../../../src/runtime/ports/log.js';
import { isBesides, type StateBatch } from '../../../src/runtime/ports/state-store.js';
import { type Cut, CutVersionError, decodeCut } from '../../../src/runtime/task/stored/cut.js';

const utf8 = new TextDecoder();

/** `null`: it says that it cannot be used. */
export function readCut(bytes: Uint8Array): Cut | null {
  try {
    return decodeCut(bytes);
  } catch (error) {
    if (error instanceof CutVersionError) return null;
    throw error;
  }
}

/**
 * What must hold at every commit and every write of state, in whatever order faults make them come.
 *
 * 1. A partition's committed offset never goes back.
 * 2. Its journal's entries are numbered without gap or repeat, and none takes effect before the one before it, nor beyond the
 *    offset that is committed with it.
 * 3. A stored cut is never ahead of the committed offset, nor of the journal.
 */
export class Invariants {
  readonly committed = new Map<string, number>();
  readonly problems: string[] = [];
  private readonly entries = new Map<string, JournalEntry>();

  afterCommit(records: readonly OutgoingRecord[], offsets: readonly OffsetCommit[]): void {
    for (const commit of offsets) {
      const name = partitionName(commit);
      const before = this.committed.get(name) ?? 0;
      if (commit.offset < before) this.problem(`1: ${name} was committed at ${before}, and then at ${commit.offset}`);
      this.committed.set(name, commit.offset);
    }
    for (const { topic, key, value } of records) {
      const name = utf8.decode(key ?? undefined);
      if (topic === 'journal' && !name.startsWith('rules/')) this.entry(name, JSON.parse(utf8.decode(value!)));
    }
  }

  beforeWrite(partition: TopicPartition, batch: StateBatch): void {
    // What rules are filled with is no state of the partition's.
    if (isBesides(partition)) return;
    const name = partitionName(partition);
    const cut = readCut(batch.cut);
    // While a copy is being put in its place, what is stored says that it cannot be used.
    if (cut === null) return;
    const { position, journal } = cut;
    const committed = this.committed.get(name) ?? 0;
    const n = this.entries.get(name)?.n ?? 0;
    if (position > committed) this.problem(`3: ${name} is stored as of ${position}, but committed at ${committed}`);
    if (journal.n > n) this.problem(`3: ${name} is stored as of entry ${journal.n}, but the journal ends at ${n}`);
  }

  private entry(name: string, entry: JournalEntry): void {
    const last = this.entries.get(name);
    const shown = JSON.stringify(entry);
    if (entry.n !== (last?.n ?? 0) + 1) this.problem(`2: ${name} has entry ${shown} after ${JSON.stringify(last)}`);
    if (last !== undefined && entry.offset < last.offset) this.problem(`2: ${name} has ${shown} after ${last.offset}`);
    if (entry.offset > (this.committed.get(name) ?? 0))
      this.problem(`2: ${name} has ${shown} beyond what is committed`);
    this.entries.set(name, entry);
  }

  private problem(text: string): void {
    this.problems.push(`invariant ${text}`);
  }
}
