import { createHash } from 'node:crypto';
import type { ListKind } from '../../rules/known-lists.js';
import type { ListChange } from './layered-table.js';

/** Where what a list holds was read, so that the same is not read again, nor something older put over it. */
export interface SourceMark {
  /** The kind of source and its name: `file lists/home.csv`. */
  readonly name: string;
  /** Of all that was read. */
  readonly digest?: string;
  /** Next offsets by partition, of a topic. */
  readonly position?: Readonly<Record<string, number>>;
  /** Newest change that it has, of a table. */
  readonly since?: string;
}

export interface ListSignature {
  /** Milliseconds since 1970, by the clock of who wrote it. */
  readonly at: number;
  readonly author: string;
  /** Why. */
  readonly message: string;
}

interface Op extends ListSignature {
  readonly list: string;
  /** The version that it follows from; `null`: there is no such list. It is nobody's change where that is another by then. */
  readonly after: string | null;
  readonly source?: SourceMark;
}

/** The list is another now, whole. */
export interface PutOp extends Op {
  readonly kind: 'put';
  readonly listKind: ListKind;
  /** The object that holds it, which is the digest of what it holds too. */
  readonly object: string;
  readonly size: number;
}

/** Some entries are others now. All of it is effective. */
export interface ChangeOp extends Op, ListChange {
  readonly kind: 'change';
  /** Entries after it. */
  readonly size: number;
}

export interface DropOp extends Op {
  readonly kind: 'drop';
}

/** What a version holds, in one object: what came before it is needed no more to know it. */
export interface SnapshotOp extends Omit<Op, 'after'> {
  readonly kind: 'snapshot';
  readonly digest: string;
  readonly listKind: ListKind;
  readonly object: string;
  readonly size: number;
}

export type ListOp = PutOp | ChangeOp | DropOp | SnapshotOp;

/** A list as it was between two of its changes. What it holds is in an object, or follows from the version before. */
export interface ListVersion extends ListSignature {
  readonly list: string;
  readonly kind: ListKind;
  /** Names what it holds, in the journal too. */
  readonly digest: string;
  readonly size: number;
  readonly source: SourceMark | null;
  readonly from: { readonly object: string } | { readonly version: ListVersion; readonly change: ListChange };
  /** Entries that were changed since the object. */
  readonly changed: number;
  /** Where the first record of it is in the topic. */
  readonly offset: number;
}

/** The versions of all lists, from the records of their topic in order. Pure: all processes come to the same. */
export class ListVersions {
  private readonly now = new Map<string, ListVersion>();
  private readonly all = new Map<string, ListVersion>();

  get current(): ReadonlyMap<string, ListVersion> {
    return this.now;
  }

  /** `undefined`: it is not known any more, or not yet. */
  get(list: string, digest: string): ListVersion | undefined {
    return this.all.get(`${list} ${digest}`);
  }

  get known(): Iterable<ListVersion> {
    return this.all.values();
  }

  /** Says whether it holds: that of two that follow from one version is the first. */
  take(op: ListOp, offset: number): boolean {
    const before = this.now.get(op.list);
    if (op.kind === 'snapshot') return this.takeSnapshot(op, offset);
    if ((before?.digest ?? null) !== op.after) return false;
    if (op.kind === 'drop') this.now.delete(op.list);
    else this.is(op.kind === 'put' ? putVersion(op, offset) : changedVersion(op, before!, offset));
    return true;
  }

  private takeSnapshot(op: SnapshotOp, offset: number): boolean {
    const known = this.get(op.list, op.digest);
    const { list, digest, listKind: kind, object, size, at, author, message } = op;
    const version: ListVersion = {
      ...{ list, digest, kind, size, at, author, message, changed: 0, from: { object } },
      ...{ source: op.source ?? null, offset: known?.offset ?? offset },
    };
    const { digest: now } = this.now.get(list) ?? {};
    this.all.set(`${list} ${digest}`, version);
    // Of a version that is not known all that came before has been cleared away.
    if (known === undefined || now === digest) this.now.set(list, version);
    return true;
  }

  private is(version: ListVersion): void {
    this.now.set(version.list, version);
    this.all.set(`${version.list} ${version.digest}`, version);
  }
}

function putVersion(op: PutOp, offset: number): ListVersion {
  const { list, listKind: kind, object, size, at, author, message, source = null } = op;
  return { list, kind, digest: object, size, at, author, message, source, from: { object }, changed: 0, offset };
}

function changedVersion(op: ChangeOp, before: ListVersion, offset: number): ListVersion {
  const { list, size, at, author, message, source = null } = op;
  const change = { put: op.put, remove: op.remove };
  const weight = change.put.length + change.remove.length;
  const signed = { at, author, message };
  // Only where it was read is another.
  if (weight === 0) return { ...before, source };
  const digest = digestAfter(before.digest, change);
  const from = { version: before, change };
  return { list, kind: before.kind, digest, size, ...signed, source, from, changed: before.changed + weight, offset };
}

/** Names the version that a change makes of another. */
export function digestAfter(before: string, { put, remove }: ListChange): string {
  return createHash('sha256')
    .update(JSON.stringify([before, put, remove]))
    .digest('hex');
}

const text = new TextEncoder();
const utf8 = new TextDecoder();

/** No two keys are the same, so that compaction takes nothing away that was not deleted. */
export const opRecord = (op: ListOp, id: string) => ({
  key: text.encode(`${op.list}/${id}`),
  value: text.encode(JSON.stringify(op)),
});

const KINDS: ReadonlySet<unknown> = new Set<ListOp['kind']>(['put', 'change', 'drop', 'snapshot']);

/** `null`: none of ours. */
export function opOf(value: Uint8Array): ListOp | null {
  try {
    const op = JSON.parse(utf8.decode(value)) as ListOp;
    return KINDS.has(op.kind) && typeof op.list === 'string' ? op : null;
  } catch {
    // Someone wrote to the topic by hand.
    return null;
  }
}
