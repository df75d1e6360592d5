import { Backoff, pause, withJitter } from '../backoff.js';
import type { Clock } from '../ports/clock.js';
import type { GroupMember, Log, OffsetCommit, OutgoingRecord, TopicSpec, TransactionalProducer } from '../ports/log.js';
import type { FeedBook, FeedProgress } from './feed-book.js';

/** A row as a record. */
export interface FedRow {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  /** Where it stands among the others: nothing stands twice in one place. */
  readonly place: readonly string[];
}

/** Rows in an order that never changes, with an end. */
export interface RowSource {
  /** Where the last one stands; `null`: there is none. */
  readonly last: readonly string[] | null;
  /** Those behind a place, up to the last, in portions; `null`: all. */
  rowsAfter(after: readonly string[] | null): AsyncIterable<readonly FedRow[]>;
  close(): Promise<void>;
}

export interface FeedOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly book: FeedBook;
  /** Made where it is not there. */
  readonly topic: TopicSpec;
  /** Names what feeds this topic towards the log, in all processes: whoever comes next fences those before. */
  readonly transactionalId: string;
  /** What is read, in words: see `FeedProgress.from`. */
  readonly from: string;
  /** `last`: where it is to end; undefined: with the last row there is. Whoever opened it is asked to give up by `signal`. */
  readonly open: (last: readonly string[] | null | undefined, signal: AbortSignal) => Promise<RowSource>;
  /** Why nothing gets on; `null`: it does again. Must not throw. */
  readonly onTrouble: (error: Error | null) => void;
}

/** Rows that cannot go on as they are. What to do is in the message. */
export class FeedError extends Error {
  readonly code = 'FEED';
}

/** A transaction has so many rows, or bytes of them, at most. */
const ROWS_MAX = 500;
const BYTES_MAX = 512 * 1024;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;

/**
 * Feeds rows into a topic, each once.
 *
 * 1. Rows are written in the transaction that says how far they go: what is in the topic and what the book says of it are never apart.
 * 2. Before the book is read, the transactional id is taken over: what a feed before this one left open is ended, and it commits nothing
 *    any more. So what is read is how far the topic was fed, and stays so until this feed writes.
 * 3. After any failure, whether its transaction happened or not, it begins anew with 2.
 * 4. Where the rows end is written before the first of them is: a feed that goes on ends where it would have ended.
 */
export class Feed {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  /** `offset`: committed with each transaction, so that a member that no longer has the partition is refused. */
  constructor(
    private readonly options: FeedOptions,
    private readonly member: GroupMember,
    private readonly offset: OffsetCommit,
  ) {
    this.running = this.run();
  }

  /** Resolves when the transaction under way is over. */
  stop(): Promise<void> {
    this.stopping.abort(new FeedError('the feed was stopped'));
    return this.running;
  }

  private async run(): Promise<void> {
    const { clock, onTrouble } = this.options;
    const { signal } = this.stopping;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    while (!signal.aborted) {
      try {
        await this.feed(() => {
          retry.reset();
          onTrouble(null);
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        onTrouble(error as Error);
        await pause(clock, withJitter(retry.next(), clock), signal);
      }
    }
  }

  /** @param onProgress told after each transaction. */
  private async feed(onProgress: () => void): Promise<void> {
    const { log, topic, transactionalId } = this.options;
    await log.createTopic(topic);
    const producer = await log.transactionalProducer(transactionalId);
    try {
      await this.feedWith(producer, onProgress);
    } finally {
      await producer.close();
    }
  }

  private async feedWith(producer: TransactionalProducer, onProgress: () => void): Promise<void> {
    const { book, topic, from, open, clock } = this.options;
    const { signal } = this.stopping;
    await book.refresh();
    const known = book.get(topic.name);
    if (known !== null && known.from !== from)
      throw new FeedError(
        `the topic ${topic.name} was fed from ${known.from} and cannot go on with ${from}: name another topic for it (streams.<name>.topic)`,
      );
    if (known !== null && known.doneAt !== null) return onProgress();
    const rows = await open(known?.last, signal);
    try {
      const none = { topic: topic.name, from, rows: 0, after: null, last: rows.last };
      const begun: FeedProgress = { ...none, begunAt: clock.now(), doneAt: null };
      let progress = known ?? begun;
      const commit = async (next: FeedProgress, records: readonly OutgoingRecord[]): Promise<void> => {
        signal.throwIfAborted();
        await producer.commit(this.member, [...records, book.record(next)], [this.offset]);
        progress = next;
        onProgress();
      };
      if (known === null) await commit(begun, []);
      for await (const portion of rows.rowsAfter(progress.after))
        for (const part of parts(portion)) {
          const records = part.map(({ key, value }) => ({ topic: topic.name, key, value }));
          await commit({ ...progress, rows: progress.rows + part.length, after: part.at(-1)!.place }, records);
        }
      await commit({ ...progress, doneAt: clock.now() }, []);
    } finally {
      await rows.close();
    }
  }
}

/** Rows as they go into one transaction each. */
function* parts(rows: readonly FedRow[]): Generator<readonly FedRow[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, { value }] of rows.entries()) {
    if (index > from && (index - from === ROWS_MAX || bytes + value.length > BYTES_MAX)) {
      yield rows.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += value.length;
  }
  if (from < rows.length) yield rows.slice(from);
}
