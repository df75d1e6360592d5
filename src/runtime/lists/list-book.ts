import { randomUUID } from 'node:crypto';
import type { ListKind } from '../../rules/known-lists.js';
import type { Clock } from '../ports/clock.js';
import type { Log, LogRecord } from '../ports/log.js';
import type { ObjectStore } from '../ports/object-store.js';
import { TopicFollower } from '../topic-follower.js';
import { changedBy, differenceOf, effectiveIn, type ListChange, layeredOf, wholeOf } from './layered-table.js';
import { decodeTable, encodeTable } from './list-codec.js';
import {
  type ListOp,
  type ListSignature,
  type ListVersion,
  ListVersions,
  opOf,
  opRecord,
  type SourceMark,
} from './list-op.js';
import { type ListData, ReferenceLists } from './reference-lists.js';
import type { TextTable } from './text-table.js';

export interface ListBookOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: string;
  /** Where whole lists are; opened when the first is read or written. */
  readonly objects: () => Promise<ObjectStore>;
  /** Some list may be another, by whoever changed it. Never called twice at once. */
  readonly onChange?: () => Promise<void>;
  readonly onTrouble?: (error: Error | null) => void;
}

/** A list that a rule set of before asked, and that is to be had no more. */
export class ListGoneError extends Error {
  readonly code = 'LIST_GONE';
}

/** Who changes a list, and where it was read. */
export type Signed = Omit<ListSignature, 'at'> & { readonly source?: SourceMark };

/** A record of this size is written to any broker. What is more goes into an object. */
const OP_BYTES_MAX = 500_000;
/** So many entries are changed one by one before the whole is written again: at least these, or a quarter of the list. */
const CHANGED_MAX = 20_000;
const CHANGED_SHARE = 4;
/** Up to so many entries are a change, however small the list. */
const CHANGE_MIN = 1000;
/** Versions of each list that are kept ready for use, besides those that share them. */
const LOADED_MAX = 4;

/**
 * The reference lists of a group of processes: each change is a record of a topic that all of them read, so that all come to the same
 * versions; whole lists are objects beside it. Every version that is not cleared away can be had again, by the digest that the
 * journal names.
 *
 * A change names the version that it follows from. Of two that follow from one the first on the topic holds.
 */
export class ListBook {
  readonly versions = new ListVersions();
  private readonly follower: TopicFollower;
  private readonly loaded = new Map<string, ListData[]>();
  private store: Promise<ObjectStore> | null = null;
  /** Objects that nothing needed when it was looked. */
  private useless: ReadonlySet<string> = new Set();
  /** Records that were written, and not read yet, by their keys. */
  private readonly waiting = new Map<string, (holds: boolean) => void>();

  constructor(private readonly options: ListBookOptions) {
    const { log, clock, topic, onChange, onTrouble } = options;
    this.follower = new TopicFollower({
      ...{ log, clock, topic },
      onRecord: (record) => this.take(record),
      onRead: async () => onChange?.(),
      onTrouble: (error) => onTrouble?.(error),
    });
  }

  /** Reads all there is; waits for a log that is away. */
  open(): Promise<void> {
    return this.follower.open();
  }

  /** Tells of what comes, until `stop`. */
  follow(): void {
    this.follower.follow();
  }

  async stop(): Promise<void> {
    await this.follower.stop();
    await (await this.store?.catch(() => null))?.close();
  }

  /** Reads what others wrote up to now. */
  refresh(): Promise<void> {
    return this.follower.readToEnd();
  }

  current(list: string): ListVersion | undefined {
    return this.versions.current.get(list);
  }

  /** Puts a whole list in the place of what is there. False: it follows from another version than that of now. */
  async put(list: string, kind: ListKind, table: TextTable, after: string | null, by: Signed): Promise<boolean> {
    const object = table.digest();
    const before = this.current(list);
    if (before?.digest === object && before.kind === kind) return this.change(list, { put: [], remove: [] }, after, by);
    await this.keep(object, kind, table);
    return this.publish({ kind: 'put', list, after, listKind: kind, object, size: table.size, ...this.signed(by) });
  }

  /** Changes some entries of a list that is there. False: it follows from another version than that of now. */
  async change(list: string, wanted: ListChange, after: string | null, by: Signed): Promise<boolean> {
    const before = this.current(list);
    if (before === undefined || before.digest !== after) return false;
    const data = await this.load(before);
    const change = effectiveIn(data, wanted);
    const weight = change.put.length + change.remove.length;
    // Nothing would be another, nor come from elsewhere.
    if (weight === 0 && saysNothingNew(by.source, before.source)) return true;
    const next = changedBy(data, change);
    const op = { kind: 'change', list, after, ...change, size: next.size, ...this.signed(by) } as const;
    if (JSON.stringify(op).length > OP_BYTES_MAX) return this.put(list, before.kind, wholeOf(next), after, by);
    if (!(await this.publish(op))) return false;
    await this.foreshorten(list);
    return true;
  }

  /** Makes what a list holds the same as a table: by a change where that is small, else whole. False: as `change`. */
  async replace(list: string, table: TextTable, after: string, by: Signed): Promise<boolean> {
    const before = this.current(list);
    if (before === undefined || before.digest !== after) return false;
    const change = differenceOf(await this.load(before), table);
    const isSmall = change.put.length + change.remove.length <= Math.max(CHANGE_MIN, before.size / CHANGED_SHARE);
    return isSmall ? this.change(list, change, after, by) : this.put(list, before.kind, table, after, by);
  }

  /** False: it was changed meanwhile. */
  drop(list: string, after: string, by: Signed): Promise<boolean> {
    return this.publish({ kind: 'drop', list, after, ...this.signed(by) });
  }

  /** What a version holds. Throws `ListGoneError`. */
  async load(version: ListVersion): Promise<ListData> {
    const known = this.loaded.get(version.list) ?? [];
    const changes: ListChange[] = [];
    let at = version;
    let data = known.find(({ digest }) => digest === at.digest);
    while (data === undefined && 'version' in at.from) {
      changes.push(at.from.change);
      at = at.from.version;
      const { digest } = at;
      data = known.find((one) => one.digest === digest);
    }
    const begin = data ?? (await this.read(at));
    const merged = changes.reverse().reduce(follow, { put: new Map(), remove: new Set<string>() });
    const change = { put: [...merged.put], remove: [...merged.remove] };
    const made = { ...changedBy(begin, effectiveIn(begin, change)), digest: version.digest };
    this.loaded.set(version.list, [made, ...known.filter(({ digest }) => digest !== made.digest)].slice(0, LOADED_MAX));
    return made;
  }

  /** All lists as they are now. */
  async all(): Promise<Record<string, ListData>> {
    const found = [...this.versions.current];
    return Object.fromEntries(
      await Promise.all(found.map(async ([name, version]) => [name, await this.load(version)])),
    );
  }

  /**
   * The lists with what these digests stand for: those given where they are the same still, else as they were. Throws
   * `ListGoneError`.
   */
  async asOf(digests: Readonly<Record<string, string>>, today: ReferenceLists): Promise<ReferenceLists> {
    const data: Record<string, ListData> = {};
    for (const [list, digest] of Object.entries(digests)) {
      const now = Object.hasOwn(today.data, list) ? today.data[list] : undefined;
      data[list] = now?.digest === digest ? now : await this.load(await this.versionOf(list, digest));
    }
    return new ReferenceLists(data);
  }

  /**
   * Deletes whole lists from which no version follows that is needed, and answers how many. The records of changes stay: they say who
   * changed what. What was of no use at the call before alone is deleted: it may be of a change that is being written.
   */
  async prune(isNeeded: (version: ListVersion) => boolean): Promise<number> {
    await this.refresh();
    const objects = await this.objects();
    const kept = new Set<string>();
    for (const version of this.versions.known) if (isNeeded(version)) kept.add(objectName(objectUnder(version)));
    const useless = (await objects.list(OBJECTS)).filter((name) => !kept.has(name));
    const over = useless.filter((name) => this.useless.has(name));
    for (const name of over) await objects.delete(name);
    this.useless = new Set(useless);
    return over.length;
  }

  private objects(): Promise<ObjectStore> {
    this.store ??= this.options.objects().catch((error: unknown) => {
      this.store = null;
      throw error;
    });
    return this.store;
  }

  private async versionOf(list: string, digest: string): Promise<ListVersion> {
    const known = this.versions.get(list, digest);
    if (known !== undefined) return known;
    await this.refresh();
    const found = this.versions.get(list, digest);
    if (found !== undefined) return found;
    throw new ListGoneError(
      `the rules that were in force asked the list ${list} as it was then (${digest.slice(0, 12)}), which is kept no more in ${this.options.topic}`,
    );
  }

  private async read({ list, kind, digest, from }: ListVersion): Promise<ListData> {
    const object = 'object' in from ? from.object : '';
    const bytes = await (await this.objects()).get(objectName(object));
    const table = bytes === null ? null : decodeTable(bytes);
    if (table === null || table.digest() !== object)
      throw new ListGoneError(`what the list ${list} held (${digest.slice(0, 12)}) is not there any more`);
    return { ...layeredOf(kind, table), digest };
  }

  private async keep(object: string, kind: ListKind, table: TextTable): Promise<void> {
    await (await this.objects()).put(objectName(object), encodeTable(kind, table));
  }

  /** After many changes the whole is written once more, so that whoever starts later need not take all of them in. */
  private async foreshorten(list: string): Promise<void> {
    const version = this.current(list);
    if (version === undefined || version.changed < Math.max(CHANGED_MAX, version.size / CHANGED_SHARE)) return;
    const table = wholeOf(await this.load(version));
    const object = table.digest();
    await this.keep(object, version.kind, table);
    const { digest, kind: listKind, size, at, author, message, source } = version;
    const mark = source === null ? {} : { source };
    await this.publish({ kind: 'snapshot', list, digest, listKind, object, size, at, author, message, ...mark });
  }

  /** Resolves when it holds, and was told of; false: another came first. */
  private async publish(op: ListOp): Promise<boolean> {
    const id = randomUUID();
    const { key, value } = opRecord(op, id);
    let isHeld: boolean | undefined;
    this.waiting.set(Buffer.from(key).toString(), (holds) => {
      isHeld = holds;
    });
    try {
      await this.follower.append([{ key, value }]);
      await this.follower.readToEnd();
      // It was read by now: by this, or by who follows.
      if (isHeld === undefined) throw new Error(`stopped before the change of the list ${op.list} was read again`);
      if (isHeld) await this.follower.tell();
      return isHeld;
    } finally {
      this.waiting.delete(Buffer.from(key).toString());
    }
  }

  private take({ key, value, offset }: LogRecord): void {
    const op = value === null ? null : opOf(value);
    if (op === null || key === null) return;
    const isHeld = this.versions.take(op, offset);
    this.waiting.get(Buffer.from(key).toString())?.(isHeld);
  }

  private signed({ author, message, source }: Signed): ListSignature & { readonly source?: SourceMark } {
    const at = this.options.clock.now();
    return { at, author, message, ...(source === undefined ? {} : { source }) };
  }
}

/** Rows of a table may be touched again and again, and say the same. */
const saysNothingNew = (mark: SourceMark | undefined, before: SourceMark | null): boolean =>
  mark === undefined || (mark.since !== undefined && before?.since !== undefined && mark.name === before.name);

const OBJECTS = 'lists/';
const objectName = (digest: string): string => `${OBJECTS}${digest}`;

/** The object that a version follows from. */
function objectUnder(version: ListVersion): string {
  let at = version;
  while ('version' in at.from) at = at.from.version;
  return at.from.object;
}

interface Merged {
  readonly put: Map<string, string>;
  readonly remove: Set<string>;
}

function follow(merged: Merged, { put, remove }: ListChange): Merged {
  for (const key of remove) {
    merged.put.delete(key);
    merged.remove.add(key);
  }
  for (const [key, value] of put) {
    merged.remove.delete(key);
    merged.put.set(key, value);
  }
  return merged;
}
