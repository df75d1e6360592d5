import type { KnownLists, ListKind } from '../../rules/index.js';
import type { Detector } from '../../runtime/detector.js';
import { LayeredTable, type ListChange, wholeOf } from '../../runtime/lists/layered-table.js';
import type { ListBook, Signed } from '../../runtime/lists/list-book.js';
import type { ListVersion } from '../../runtime/lists/list-op.js';
import { type ListData, ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { TextTable } from '../../runtime/lists/text-table.js';
import type { ListFollower } from './list-follower.js';

export interface ListControlOptions {
  /** Made with these callbacks. */
  readonly book: (on: Pick<ConstructorParameters<typeof ListBook>[0], 'onChange' | 'onTrouble'>) => ListBook;
  /** Those of the settings, as they are before anything else is known of them. */
  readonly declared: ReferenceLists;
  /** Those that are read elsewhere, by name. */
  readonly followers: (book: ListBook) => ReadonlyMap<string, ListFollower>;
  /** Ids of the rules that ask a list. */
  readonly usedBy: (list: string) => readonly string[];
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** One list, for people and programs. */
export interface ListStatus {
  readonly name: string;
  readonly kind: ListKind;
  readonly entries: number;
  /** Names what it holds. */
  readonly digest: string;
  /** Where it is read; `null`: it is filled over HTTP. */
  readonly source: string | null;
  readonly trouble: string | null;
  /** Of its last change; `null`: there was none. */
  readonly changed: { readonly at: number; readonly author: string; readonly message: string } | null;
  readonly usedBy: readonly string[];
}

export class ListRefusedError extends Error {
  constructor(
    readonly code: 'LIST_UNKNOWN' | 'LIST_SOURCED' | 'LIST_IN_USE' | 'LIST_OTHER_KIND' | 'LIST_CHANGED',
    message: string,
  ) {
    super(message);
  }
}

/** The version that a change shall follow from: its digest. `null`: there shall be no such list. Absent: whichever. */
export type Expected = string | null | undefined;

const TRIES_MAX = 20;

/**
 * The reference lists of this process: read where the settings say, changed over HTTP, and brought into force, whoever changed them.
 *
 * 1. The topic has the last word: every process runs what it reads from it.
 * 2. A list that is read elsewhere is changed there alone.
 * 3. A list that a rule asks is not dropped, and keeps its kind.
 */
export class ListControl {
  private readonly book: ListBook;
  private readonly followers: ReadonlyMap<string, ListFollower>;
  private now: ReferenceLists;
  private detector: Detector | null = null;
  private bookTrouble: string | null = null;
  private bringing: Promise<void> = Promise.resolve();
  /** Has not begun yet: it takes in what comes until then. */
  private gathering: Promise<void> | null = null;

  constructor(private readonly options: ListControlOptions) {
    const { declared, warn } = options;
    this.now = declared;
    this.book = options.book({
      onChange: () => this.bringIntoForce(),
      onTrouble: (error) => {
        if (error !== null && error.message !== this.bookTrouble)
          warn('the lists cannot be read from their topic', error);
        this.bookTrouble = error?.message ?? null;
      },
    });
    this.followers = options.followers(this.book);
  }

  /** Reads what there is; waits for a log, and for sources of which nothing was read ever, that are away. */
  async open(): Promise<void> {
    await this.book.open();
    await Promise.all([...this.followers.values()].map((follower) => follower.first()));
    await this.bringIntoForce();
  }

  attach(detector: Detector): void {
    this.detector = detector;
    this.book.follow();
    for (const follower of this.followers.values()) follower.follow();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.followers.values()].map((follower) => follower.stop()));
    await this.book.stop();
  }

  get lists(): ReferenceLists {
    return this.now;
  }

  get known(): KnownLists {
    return this.now.known;
  }

  get trouble(): string | null {
    return this.bookTrouble;
  }

  /** Takes in what others have written up to now: a rule set that comes may ask it. */
  async catchUp(): Promise<void> {
    await this.book.refresh();
    await this.bringIntoForce();
  }

  /**
   * Deletes whole lists that no replay of what is left of the log may need. `needed`: names and digests of those that may be.
   * @returns how many
   */
  prune(needed: ReadonlySet<string>, youngSince: number): Promise<number> {
    const isCurrent = (version: ListVersion): boolean => this.book.current(version.list)?.digest === version.digest;
    return this.book.prune(
      (version) => isCurrent(version) || version.at >= youngSince || needed.has(`${version.list} ${version.digest}`),
    );
  }

  status(): readonly ListStatus[] {
    return Object.keys(this.now.data)
      .sort()
      .map((name) => this.statusOf(name)!);
  }

  statusOf(name: string): ListStatus | null {
    const data = Object.hasOwn(this.now.data, name) ? this.now.data[name] : undefined;
    if (data === undefined) return null;
    const version = this.book.current(name);
    const follower = this.followers.get(name);
    return {
      ...{ name, kind: data.kind, entries: data.size, digest: data.digest },
      source: follower?.source ?? null,
      trouble: follower?.trouble ?? null,
      changed: version === undefined ? null : changeOf(version),
      usedBy: this.options.usedBy(name),
    };
  }

  tableOf(name: string): LayeredTable | null {
    return Object.hasOwn(this.now.data, name) ? new LayeredTable(this.now.data[name]!) : null;
  }

  /** Puts a whole list in the place of what is there. @throws ListRefusedError */
  async put(name: string, kind: ListKind, table: TextTable, expected: Expected, by: Signed): Promise<ListStatus> {
    this.refuseSourced(name);
    const users = this.options.usedBy(name);
    const before = this.now.known.get(name);
    if (before !== undefined && before !== kind && users.length > 0)
      throw new ListRefusedError('LIST_OTHER_KIND', `${name} is a ${before}, and ${users.join(', ')} asks it as one.`);
    return this.changed(name, expected, async (version) => {
      if (version === undefined || version.kind !== kind)
        return this.book.put(name, kind, table, version?.digest ?? null, by);
      return this.book.replace(name, table, version.digest, by);
    });
  }

  /** Changes some entries. @throws ListRefusedError */
  change(name: string, change: ListChange, expected: Expected, by: Signed): Promise<ListStatus> {
    this.refuseSourced(name);
    return this.changed(name, expected, async (version) => {
      if (version !== undefined) return this.book.change(name, change, version.digest, by);
      // Of the settings, and empty until now.
      const declared = this.options.declared.data[name];
      if (declared === undefined) throw new ListRefusedError('LIST_UNKNOWN', `There is no list ${name}: put it first.`);
      const { kind } = declared;
      if (!(await this.book.put(name, kind, wholeOf(declared), null, by))) return false;
      return this.book.change(name, change, this.book.current(name)!.digest, by);
    });
  }

  /** Takes the list away; one of the settings is empty then. @throws ListRefusedError */
  async drop(name: string, expected: Expected, by: Signed): Promise<void> {
    this.refuseSourced(name);
    const users = this.options.usedBy(name);
    if (users.length > 0)
      throw new ListRefusedError('LIST_IN_USE', `${users.join(', ')} asks ${name}: change that first.`);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      await this.book.refresh();
      const version = this.book.current(name);
      if (version === undefined) throw new ListRefusedError('LIST_UNKNOWN', `There is no list ${name}.`);
      refuseOther(name, version, expected);
      if (await this.book.drop(name, version.digest, by)) return;
    }
    throw tooBusy(name);
  }

  /** Once more where someone else was first, unless it is that version that is meant. */
  private async changed(
    name: string,
    expected: Expected,
    act: (version: ListVersion | undefined) => Promise<boolean>,
  ): Promise<ListStatus> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      await this.book.refresh();
      const version = this.book.current(name);
      refuseOther(name, version, expected);
      if (!(await act(version))) continue;
      await this.bringIntoForce();
      return this.statusOf(name)!;
    }
    throw tooBusy(name);
  }

  private refuseSourced(name: string): void {
    const follower = this.followers.get(name);
    if (follower !== undefined)
      throw new ListRefusedError('LIST_SOURCED', `${name} is read from ${follower.source}: change it there.`);
  }

  /**
   * One after the other: the last that is told is the last that was read. Each is an entry in the journals of all partitions, so changes
   * that come while one comes into force are one.
   */
  private bringIntoForce(): Promise<void> {
    this.gathering ??= this.bringing.then(async () => {
      this.gathering = null;
      try {
        await this.bringNow();
      } catch (error) {
        this.options.warn('lists that were changed cannot be read; they stay as they are here', error as Error);
      }
    });
    this.bringing = this.gathering;
    return this.bringing;
  }

  private async bringNow(): Promise<void> {
    const { declared, report } = this.options;
    const data: Record<string, ListData> = { ...declared.data, ...(await this.book.all()) };
    const before = this.now.data;
    const names = new Set([...Object.keys(before), ...Object.keys(data)]);
    const others = [...names].filter((name) => before[name]?.digest !== data[name]?.digest);
    if (others.length === 0) return;
    this.now = new ReferenceLists(data);
    if (this.detector === null) return;
    await this.detector.changeLists?.(data);
    for (const name of others) report(inWords(name, before[name], this.statusOf(name)));
  }
}

const changeOf = ({ at, author, message }: ListVersion) => ({ at, author, message });

function refuseOther(name: string, version: ListVersion | undefined, expected: Expected): void {
  if (expected === undefined || (version?.digest ?? null) === expected) return;
  throw new ListRefusedError('LIST_CHANGED', `${name} is another by now (${version?.digest ?? 'it is not there'}).`);
}

const tooBusy = (name: string): ListRefusedError =>
  new ListRefusedError('LIST_CHANGED', `${name} was changed by others again and again: try again.`);

function inWords(name: string, before: ListData | undefined, after: ListStatus | null): string {
  if (after === null) return `the list ${name} is gone`;
  const by = after.changed === null ? '' : ` by ${after.changed.author}`;
  return `the list ${name} has ${after.entries} entries, ${before?.size ?? 0} before; changed${by}`;
}
