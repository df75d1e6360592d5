import type { ListKind } from '../../rules/index.js';
import { Backoff, pause } from '../../runtime/backoff.js';
import type { ListBook } from '../../runtime/lists/list-book.js';
import type { ListVersion, SourceMark } from '../../runtime/lists/list-op.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { ListSource } from './list-source.js';

export interface ListFollowerOptions {
  readonly list: string;
  readonly kind: ListKind;
  readonly source: ListSource;
  readonly book: ListBook;
  readonly clock: Clock;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;

/**
 * Publishes what a source says of a list, whenever that is another. Every process does so for itself; of what several publish at once
 * the first holds, and the others look again.
 */
export class ListFollower {
  /** Why it cannot be read now. */
  trouble: string | null = null;
  private readonly stopping = new AbortController();
  private following: Promise<void> | null = null;
  /** As it was when it was taken. */
  private taken: string | null = null;
  /** All was read once since the start. */
  private hasRead = false;
  private wake: () => void = () => undefined;

  constructor(private readonly options: ListFollowerOptions) {}

  get source(): string {
    return this.options.source.name;
  }

  /** Resolves when there is something to go by: what was published before, or what the source says. Waits for one that is away. */
  async first(): Promise<void> {
    const { book, list, source, clock } = this.options;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    const { signal } = this.stopping;
    while (!signal.aborted) {
      if (await this.look(true)) return;
      // It was read from there before: detection need not wait for it.
      if (book.current(list)?.source?.name === source.name) return;
      await pause(clock, retry.next(), signal);
    }
  }

  follow(): void {
    this.options.source.watch?.(() => this.wake());
    this.following ??= this.followOn();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.options.source.close?.();
  }

  private async followOn(): Promise<void> {
    const { clock, source } = this.options;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const woken = new AbortController();
      this.wake = () => woken.abort();
      await pause(clock, source.refreshMs, AbortSignal.any([signal, woken.signal]));
      if (!signal.aborted) await this.look(false);
    }
  }

  /** Says whether it could be looked at. */
  private async look(atOnce: boolean): Promise<boolean> {
    const { list, source, warn, report } = this.options;
    try {
      await this.takeNews(atOnce);
      if (this.trouble !== null) report(`the list ${list} is read again from ${source.name}`);
      this.trouble = null;
      return true;
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      const { message } = error as Error;
      if (message !== this.trouble)
        warn(`the list ${list} cannot be read from ${source.name}; it stays as it is`, error as Error);
      this.trouble = message;
      return false;
    }
  }

  private seen: string | null = null;
  /** What was read since the mark of the version, and changed nothing, need not be read again. */
  private ahead: { readonly of: SourceMark; readonly mark: SourceMark } | null = null;

  private async takeNews(atOnce: boolean): Promise<void> {
    const { source } = this.options;
    const stamp = (await source.stamp?.()) ?? null;
    if (stamp !== null && stamp === this.taken) return;
    // What is being written is taken when it was the same twice.
    const settles = atOnce || stamp === null || stamp === this.seen;
    this.seen = stamp;
    if (!settles) return;
    while (!(await this.publish()));
    this.taken = stamp;
  }

  /** False: the list was changed meanwhile; what was read may be older than that. */
  private async publish(): Promise<boolean> {
    const { book, list, kind, source } = this.options;
    const { signal } = this.stopping;
    await book.refresh();
    const before = book.current(list);
    const mark = before?.kind === kind && before.source?.name === source.name ? before.source : null;
    const by = { author: source.name, message: `${source.name} has changed` };
    if (source.news !== undefined && mark !== null && this.hasRead && source.wantsAll?.() !== true) {
      const from = this.ahead?.of === mark ? this.ahead.mark : mark;
      const news = await source.news(from, signal);
      if (news === null) return true;
      const isTaken = await book.change(list, news.change, before!.digest, { ...by, source: news.mark });
      if (isTaken) this.ahead = { of: mark, mark: news.mark };
      return isTaken;
    }
    const { table, mark: place } = await source.read(signal);
    this.hasRead = true;
    const digest = table.digest();
    if (mark?.digest === digest && place?.position === undefined) return true;
    const read = { name: source.name, digest, ...place };
    return this.replace(before, table, { ...by, source: read });
  }

  private replace(
    before: ListVersion | undefined,
    ...[table, by]: [Parameters<ListBook['put']>[2], Parameters<ListBook['put']>[4]]
  ): Promise<boolean> {
    const { book, list, kind } = this.options;
    if (before === undefined || before.kind !== kind) return book.put(list, kind, table, before?.digest ?? null, by);
    return book.replace(list, table, before.digest, by);
  }
}
