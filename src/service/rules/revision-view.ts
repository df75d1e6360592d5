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

/** The tests of one rule as they were before and after; `null`: it had none. */
export interface ChangedTests {
  /** Of the rule. */
  readonly id: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface RevisionDetail extends RevisionEntry {
  readonly changed: readonly ChangedText[];
  /** Also of rules that are what they were. */
  readonly changedTests: readonly ChangedTests[];
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
    before: fileOf(before, change.id)?.text ?? null,
    after: fileOf(set.files, change.id)?.text ?? null,
  }));
  return { ...entry, changed, changedTests: changedTests(before, set.files), files: set.files };
}

function changedTests(before: readonly RuleText[], after: readonly RuleText[]): readonly ChangedTests[] {
  const ids = [...new Set([...before, ...after].flatMap(({ text }) => ID.exec(text)?.[1] ?? []))].sort();
  return ids
    .map((id) => ({ id, before: testsOf(fileOf(before, id)), after: testsOf(fileOf(after, id)) }))
    .filter((change) => change.before !== change.after);
}

const testsOf = (file: RuleText | undefined): string | null => file?.tests || null;

/** A rule as it was written in some revision. */
export interface RuleVersion {
  /** Number of the set's revision that brought it; `null`: it ran before anything was published. */
  readonly n: number | null;
  readonly file: string;
  readonly yaml: string;
}

/**
 * The text of a rule by the revision that its alerts name, the newest that means the same; `null`: none of the history does, as it is read
 * today.
 */
export async function versionOf(
  control: Book & Pick<RuleControl, 'look'>,
  id: string,
  revision: string,
): Promise<RuleVersion | null> {
  const sets = control.history
    .filter((entry) => entry.kind === 'revision')
    .filter(({ changes }) => changes.some((change) => change.id === id))
    .map(({ n, files }): { readonly n: number | null; readonly files: readonly RuleText[] } => ({ n, files }));
  const looked = new Set<string>();
  for (const { n, files } of [{ n: null, files: control.initialFiles }, ...sets].reverse()) {
    const file = fileOf(files, id);
    if (file === undefined || looked.has(file.text)) continue;
    looked.add(file.text);
    const { rules } = await control.look([file]);
    if (rules[0]?.revision === revision) return { n, file: file.file, yaml: file.text };
  }
  return null;
}

/** The set that it was published against: the newest before it that did not wait in vain. */
const setBefore = (sets: readonly Sealed<SetRevision>[], of: SetRevision): SetRevision | undefined =>
  sets.findLast((one) => one.n < of.n && one.pending !== true) ?? sets.findLast((one) => one.n < of.n);

const ID = /^["']?id["']?\s*:\s*["']?([^"'\s#]+)["']?\s*(#.*)?$/m;

const fileOf = (files: readonly RuleText[], id: string): RuleText | undefined =>
  files.find(({ text }) => ID.exec(text)?.[1] === id);
