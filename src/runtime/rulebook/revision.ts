import { createHash } from 'node:crypto';
import { canonicalJson } from '../../engine/index.js';
import type { RuleText } from '../../rules/index.js';

/** What became of one rule from one revision of the set to the next. */
export interface RuleChange {
  readonly id: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** What becomes of its runs under way, or that they are filled from the log; `null`: it has none. */
  readonly runs: 'kept' | 'restarted' | 'drained' | 'filled' | 'dropped' | null;
  /** Hash of the rule's meaning before and after. */
  readonly from: string | null;
  readonly to: string | null;
}

interface Signed {
  /** Milliseconds since 1970, by the clock of who wrote it. */
  readonly at: number;
  readonly author: string;
  /** Why. */
  readonly message: string;
}

/** A whole rule set. */
export interface SetRevision extends Signed {
  readonly kind: 'revision';
  /** 1, 2, … */
  readonly n: number;
  readonly files: readonly RuleText[];
  /** Rules of revisions before: what they have under way goes on to its end. */
  readonly draining: readonly RuleText[];
  readonly changes: readonly RuleChange[];
  /** It waits for someone else's approval. */
  readonly pending?: boolean;
  /** It brings back what this revision had. */
  readonly rollbackTo?: number;
}

/** A revision that waited comes into force. */
export interface Approval extends Signed {
  readonly kind: 'approval';
  readonly of: number;
}

export type RulebookEntry = SetRevision | Approval;

/** An entry with its place in the chain: who changes one that was written breaks the chain after it. */
export type Sealed<E extends RulebookEntry = RulebookEntry> = E & {
  /** Hash of the entry before; empty: it is the first. */
  readonly previous: string;
  /** SHA-256 of all else in it. */
  readonly hash: string;
};

export function seal<E extends RulebookEntry>(entry: E, previous: string): Sealed<E> {
  return { ...entry, previous, hash: hashOf({ ...entry, previous }) };
}

function hashOf(entry: object): string {
  const plain: unknown = JSON.parse(JSON.stringify(entry));
  return createHash('sha256')
    .update(canonicalJson(plain as Parameters<typeof canonicalJson>[0]))
    .digest('hex');
}

/** The entries of a rulebook, in the order in which they were accepted. */
export class RevisionChain {
  private readonly entries: Sealed[] = [];
  private liveNow: SetRevision | null = null;
  private broken: string | null = null;

  get head(): string {
    return this.entries.at(-1)?.hash ?? '';
  }

  get all(): readonly Sealed[] {
    return this.entries;
  }

  /** The set that is in force; `null`: none was published yet. */
  get live(): SetRevision | null {
    return this.liveNow;
  }

  /** Why the rest of the book is not believed; `null`: it is whole. */
  get damage(): string | null {
    return this.broken;
  }

  get nextNumber(): number {
    return this.entries.reduce((n, entry) => (entry.kind === 'revision' ? Math.max(n, entry.n) : n), 0) + 1;
  }

  revision(n: number): SetRevision | undefined {
    return this.entries.find((entry): entry is Sealed<SetRevision> => entry.kind === 'revision' && entry.n === n);
  }

  /** Revisions that wait for approval, and that no later one has overtaken. */
  get pending(): readonly SetRevision[] {
    const since = this.liveNow === null ? -1 : this.entries.findLastIndex((entry) => this.madeLive(entry));
    return this.entries
      .slice(since + 1)
      .filter((entry) => entry.kind === 'revision' && entry.pending === true) as Sealed<SetRevision>[];
  }

  private madeLive(entry: Sealed): boolean {
    return entry.kind === 'approval'
      ? entry.of === this.liveNow!.n
      : entry.n === this.liveNow!.n && entry.pending !== true;
  }

  /** Takes an entry as it was read. One that does not follow from the last (another was first) is left out. */
  add(entry: Sealed): boolean {
    const { hash, ...rest } = entry;
    if (hashOf(rest) !== hash) {
      this.broken ??= `the entry of ${new Date(entry.at).toISOString()} was changed after it was written`;
      return false;
    }
    // Who published at the same time as another follows from an entry that is there.
    if (entry.previous !== '' && !this.entries.some((known) => known.hash === entry.previous)) {
      this.broken ??= `the entry before that of ${new Date(entry.at).toISOString()} is not there any more, or was changed`;
      return false;
    }
    if (entry.previous !== this.head || !this.isFitting(entry)) return false;
    if (entry.kind === 'revision' && entry.pending !== true) this.liveNow = entry;
    if (entry.kind === 'approval') this.liveNow = this.revision(entry.of)!;
    this.entries.push(entry);
    return true;
  }

  private isFitting(entry: RulebookEntry): boolean {
    if (entry.kind === 'revision') return entry.n === this.nextNumber;
    return this.pending.some(({ n, author }) => n === entry.of && author !== entry.author);
  }
}
