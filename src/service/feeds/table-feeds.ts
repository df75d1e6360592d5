import { Backoff, pause } from '../../runtime/backoff.js';
import { Feed, type RowSource } from '../../runtime/feeds/feed.js';
import { FeedBook } from '../../runtime/feeds/feed-book.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { AssignedPartition, GroupListener, GroupMember, Log } from '../../runtime/ports/log.js';
import { isFed, type Settings, type StreamSettings } from '../../runtime/settings/index.js';
import { tableOf } from './table-rows.js';

export interface TableFeedsOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** As they are now: streams come and go. */
  readonly settings: () => Settings;
  readonly isPaused: (stream: string) => boolean;
  /** Whether a rule that runs here reads it. */
  readonly isRead: (stream: string) => boolean;
  readonly open: (
    stream: StreamSettings,
    last: readonly string[] | null | undefined,
    signal: AbortSignal,
  ) => Promise<RowSource>;
  /** Tables are read to their ends, by whomever: see `asFed`. */
  readonly onDone: () => Promise<void>;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** How far the table of a stream is read. */
export interface TableFeedStatus {
  /** `waiting`: for a rule that reads the stream. */
  readonly state: 'waiting' | 'feeding' | 'paused' | 'done';
  /** Rows in its topic. */
  readonly rows: number;
  /** Milliseconds since 1970; `null`: it is not done. */
  readonly doneAt: number | null;
  /** Why it does not go on at present; only who feeds it knows. */
  readonly trouble: string | null;
}

export interface StreamTable extends TableFeedStatus {
  readonly stream: string;
}

interface Running {
  readonly stream: string;
  readonly feed: Feed;
}

const LOOK_MS = 500;
/** From when a rule reads a stream here until its table is begun, so that other processes have taken the rule in too. */
const SETTLE_MS = 2000;
const STOP_MS = 5000;

/**
 * Feeds the tables that are streams into their topics, in one process of the group: the one that has the partition of the book, by a
 * consumer group of their own.
 *
 * 1. A table is begun when a rule reads its stream: rows that come before a rule are none of its events.
 * 2. A stream that is paused, changed or taken away is fed no further; it goes on from there.
 * 3. What goes wrong with one table concerns no other, and nothing else; it is tried again.
 */
export class TableFeeds {
  readonly name = 'table feeds';
  private readonly book: FeedBook;
  private isOpen = false;
  /** Tables that are read, as was told last. */
  private done = '[]';
  private member: GroupMember | null = null;
  private owned: AssignedPartition | null = null;
  private readonly feeds = new Map<string, Running>();
  private readonly troubles = new Map<string, string>();
  private readonly readSince = new Map<string, number>();
  private trouble: string | null = null;
  /** What the log says of the group. */
  private groupTrouble: string | null = null;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: TableFeedsOptions) {
    const { log, clock, settings, warn } = options;
    let trouble: string | null = null;
    this.book = new FeedBook({
      ...{ log, clock, topic: settings().feeds.topic },
      onTrouble: (error) => {
        if (error !== null && error.message !== trouble)
          warn('how far tables were read cannot be read from its topic', error);
        trouble = error?.message ?? null;
      },
    });
  }

  /** Reads how far tables are, where there are any; waits for a log that is away. For whoever asks `asFed` before `start`. */
  async openAhead(): Promise<void> {
    if (this.tables().length === 0) return;
    await this.open();
    this.done = this.doneNow();
  }

  /** Settings that say of each table whether rows may still come. */
  asFed(settings: Settings): Settings {
    const streams = Object.entries(settings.streams).map(([name, stream]): [string, StreamSettings] => {
      if (!isFed(stream)) return [name, stream];
      return [name, { ...stream, feed: this.isDone(stream) ? 'done' : 'open' }];
    });
    return { ...settings, streams: Object.fromEntries(streams) };
  }

  async start(): Promise<void> {
    this.running = this.run();
  }

  /** Waits for transactions under way, but not for a log that is away. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const stopped = this.end();
    const late = Promise.withResolvers<void>();
    const cancel = this.options.clock.schedule(STOP_MS, late.resolve);
    await Promise.race([stopped, late.promise]);
    cancel();
  }

  /** `null`: the stream is no table. */
  status(stream: StreamSettings): TableFeedStatus | null {
    if (!isFed(stream)) return null;
    const progress = this.book.get(stream.topic!);
    const { rows = 0, doneAt = null } = progress ?? {};
    const trouble = this.troubles.get(stream.name) ?? this.trouble ?? this.groupTrouble;
    return { state: this.stateOf(stream), rows, doneAt, trouble: doneAt === null ? trouble : null };
  }

  /** Of all streams that are tables. */
  statuses(): readonly StreamTable[] {
    return this.tables().map((stream) => ({ stream: stream.name, ...this.status(stream)! }));
  }

  private stateOf(stream: StreamSettings): TableFeedStatus['state'] {
    const { name, topic } = stream;
    if (this.isDone(stream)) return 'done';
    if (this.options.isPaused(name)) return 'paused';
    return this.book.get(topic!) === null && !this.options.isRead(name) ? 'waiting' : 'feeding';
  }

  private async run(): Promise<void> {
    const { clock, warn } = this.options;
    const { signal } = this.stopping;
    const retry = new Backoff(LOOK_MS, 10 * LOOK_MS);
    while (!signal.aborted) {
      try {
        await this.look();
        this.trouble = null;
        retry.reset();
        await pause(clock, LOOK_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        if ((error as Error).message !== this.trouble) warn('tables cannot be fed at present', error as Error);
        this.trouble = (error as Error).message;
        await pause(clock, retry.next(), signal);
      }
    }
  }

  /** Brings what is fed to what the settings, the rules and the pauses say now. */
  private async look(): Promise<void> {
    const streams = this.tables();
    if (!this.isOpen && streams.length === 0) return;
    await this.open();
    const left = streams.filter((stream) => this.stateOf(stream) === 'feeding');
    for (const name of this.readSince.keys())
      if (!left.some((stream) => stream.name === name)) this.readSince.delete(name);
    const wanted = new Map(left.filter((stream) => this.isSettled(stream)).map((stream) => [keyOf(stream), stream]));
    for (const [key, { feed, stream }] of this.feeds)
      if (!wanted.has(key)) {
        await feed.stop();
        this.feeds.delete(key);
        this.troubles.delete(stream);
        this.tellDone(stream);
      }
    if (left.length > 0) await this.join();
    else await this.leave();
    for (const [key, stream] of wanted) if (!this.feeds.has(key)) this.begin(key, stream);
    const done = this.doneNow();
    if (done !== this.done) await this.options.onDone();
    this.done = done;
  }

  private async open(): Promise<void> {
    if (this.isOpen) return;
    await this.book.open();
    this.book.follow();
    this.isOpen = true;
  }

  private tables(): readonly StreamSettings[] {
    return Object.values(this.options.settings().streams).filter(isFed);
  }

  private isDone({ topic }: StreamSettings): boolean {
    const progress = this.book.get(topic!);
    return progress !== null && progress.doneAt !== null;
  }

  private doneNow(): string {
    const done = this.tables().filter((stream) => this.isDone(stream));
    return JSON.stringify(done.map(({ name, topic }) => [name, topic]));
  }

  private tellDone(name: string): void {
    const { settings, report } = this.options;
    const stream = settings().streams[name];
    const status = stream === undefined ? null : this.status(stream);
    if (status?.state === 'done') report(`${tableOf(stream!)} is read: ${status.rows} rows are in ${stream!.topic}`);
  }

  private isSettled({ name, topic }: StreamSettings): boolean {
    const { clock } = this.options;
    const since = this.readSince.get(name) ?? clock.now();
    this.readSince.set(name, since);
    return this.book.get(topic!) !== null || clock.now() - since >= SETTLE_MS;
  }

  private begin(key: string, stream: StreamSettings): void {
    const { log, clock, settings, open, report, warn } = this.options;
    if (this.owned === null || this.member === null || this.stopping.signal.aborted) return;
    const { groupId } = settings().kafka;
    const { name, partitions } = stream;
    const feed = new Feed(
      {
        ...{ log, clock, book: this.book, from: tableOf(stream) },
        topic: { name: stream.topic!, partitions },
        transactionalId: `stakeout-feed-${groupId}-${stream.topic}`,
        open: (last, signal) => open(stream, last, signal),
        onTrouble: (error) => {
          const before = this.troubles.get(name);
          if (error === null) this.troubles.delete(name);
          else this.troubles.set(name, error.message);
          if (error === null && before !== undefined) report(`${tableOf(stream)} is read again`);
          if (error !== null && error.message !== before)
            warn(`the stream ${name} gets no more rows of ${tableOf(stream)} for now; it is tried again`, error);
        },
      },
      this.member,
      { topic: this.owned.topic, partition: this.owned.partition, offset: this.owned.position },
    );
    this.feeds.set(key, { stream: name, feed });
  }

  private async join(): Promise<void> {
    const { log, settings } = this.options;
    const groupId = `${settings().kafka.groupId}-feeds`;
    this.member ??= await log.join(
      { groupId, topics: { names: [this.book.topic] }, start: { at: 'latest' } },
      this.listener(),
    );
  }

  private async leave(): Promise<void> {
    const { member } = this;
    this.member = null;
    await member?.close();
    this.owned = null;
  }

  private listener(): GroupListener {
    const gone = async (): Promise<void> => {
      this.owned = null;
      const feeds = [...this.feeds.values()];
      this.feeds.clear();
      await Promise.all(feeds.map(({ feed }) => feed.stop()));
    };
    return {
      onAssigned: async ([partition]) => {
        this.owned = partition ?? null;
        return undefined;
      },
      onRevoked: gone,
      onLost: gone,
      // The book is read by all processes, this one too.
      onBatch: () => undefined,
      onTrouble: (error) => {
        this.groupTrouble = error.message;
      },
      onRecovered: () => {
        this.groupTrouble = null;
      },
      onFatal: (error) => {
        this.options.warn('tables cannot be fed at present', error);
        this.groupTrouble = error.message;
        this.member = null;
        void gone();
      },
    };
  }

  /** Feeds first: without the book they would not know how far they are. */
  private async end(): Promise<void> {
    const fed = Promise.all([...this.feeds.values()].map(({ feed }) => feed.stop()));
    await Promise.all([fed, this.book.stop(), this.running]);
    await this.leave();
  }
}

/** A stream that is changed is fed anew from where it was, by what it says then. */
const keyOf = ({ name, topic, partitions, format, schema, key, id, time, table }: StreamSettings): string =>
  JSON.stringify({ name, topic, partitions, format, schema, key, id, time, table });
