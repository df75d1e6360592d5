import type { RuleText } from '../../rules/index.js';
import type { RuleChange, Sealed, SetRevision } from '../../runtime/rulebook/revision.js';
import type { RuleControl } from './rule-control.js';

/** What was published, or approved, without its texts. */
export interface RevisionEntry {
  readonly kind: 'revision' | 'approval';
  /** Of an approval: what it approved. */
  readonly n: number;
  readonly at: number;
  readonly author: string;
  readonly message: string;
  /** `live`: in force now; `pending`: waits for approval; `replaced`: was in force, or never came into it. */
  readonly state: 'live' | 'pending' | 'replaced';
  readonly rollbackTo: number | null;
  readonly changes: readonly RuleChange[];
  /** Rules in the set. */
  readonly rules: number;
  readonly previous: string;
  readonly hash: string;
}

/** One rule as it was before and after; `null`: it was not there. */
export interface ChangedText extends RuleChange {
  readonly before: string | null;
  readonly after: string | null;
}

export interface RevisionDetail extends RevisionEntry {
  readonly changed: readonly ChangedText[];
  readonly files: readonly RuleText[];
}

type Book = Pick<RuleControl, 'history' | 'status' | 'initialFiles'>;

/** In the order in which they were accepted. */
export function entriesOf(control: Book): readonly RevisionEntry[] {
  const { revision: live, pending } = control.status();
  const sets = new Map(control.history.flatMap((entry) => (entry.kind === 'revision' ? [[entry.n, entry]] : [])));
  return control.history.map((entry) => {
    const n = entry.kind === 'revision' ? entry.n : entry.of;
    const set = sets.get(n)!;
    const state = n === live ? 'live' : pending.includes(n) ? 'pending' : 'replaced';
    const { kind, at, author, message, previous, hash } = entry;
    return {
      ...{ kind, n, at, author, message, state, previous, hash },
      rollbackTo: set.rollbackTo ?? null,
      changes: entry.kind === 'revision' ? entry.changes : [],
      rules: set.files.length,
    };
  });
}

/** `null`: there is none. */
export function detailOf(control: Book, n: number): RevisionDetail | null {
  const isRevision = (entry: Sealed): entry is Sealed<SetRevision> => entry.kind === 'revision';
  const sets = control.history.filter(isRevision);
  const set = sets.find((one) => one.n === n);
  const entry = entriesOf(control).find((one) => one.kind === 'revision' && one.n === n);
  if (set === undefined || entry === undefined) return null;
  const before = setBefore(sets, set)?.files ?? control.initialFiles;
  const changed = set.changes.map((change) => ({
    ...change,
    before: textOf(before, change.id),
    after: textOf(set.files, change.id),
  }));
  return { ...entry, changed, files: set.files };
}

/** The set that it was published against: the newest before it that did not wait in vain. */
const setBefore = (sets: readonly Sealed<SetRevision>[], of: SetRevision): SetRevision | undefined =>
  sets.findLast((one) => one.n < of.n && one.pending !== true) ?? sets.findLast((one) => one.n < of.n);

function textOf(files: readonly RuleText[], id: string): string | null {
  const isOf = new RegExp(`^["']?id["']?\\s*:\\s*["']?${id}["']?\\s*(#.*)?$`, 'm');
  return files.find(({ text }) => isOf.test(text))?.text ?? null;
}
