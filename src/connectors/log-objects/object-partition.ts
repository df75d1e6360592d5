import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, LogRecord, TopicPartition } from '../../runtime/ports/log.js';
import { ObjectIndex } from './object-index.js';

/** Offsets in between that are read along rather than asked for on their own. */
const GAP_MAX = 4;
/** Shorter than a compacted topic keeps the records that delete something (a day). */
const FORGET_MS = 12 * 60 * 60 * 1000;

/**
 * One partition of the topic, and what is known of it.
 *
 * 1. The index is of all records before `position`; `refresh` brings it to the end that the partition has when it is called.
 * 2. One reading at a time moves it.
 * 3. Who has not looked for long begins anew: what says that an object was deleted may itself be gone by then.
 */
export class ObjectPartition {
  private known = new ObjectIndex();
  private position = 0;
  private refreshedAt = 0;
  private reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: Log,
    readonly at: TopicPartition,
    private readonly clock: Clock,
  ) {}

  get index(): ObjectIndex {
    return this.known;
  }

  /** Reads what is new. */
  async refresh(signal: AbortSignal): Promise<void> {
    const read = this.reading.then(() => this.readNew(signal));
    // Whoever comes next reads on from where this one came to.
    this.reading = read.catch(() => undefined);
    await read;
  }

  /** The values at these offsets; `undefined` for one that is not there any more. */
  async values(offsets: readonly number[], signal: AbortSignal): Promise<(Uint8Array | undefined)[]> {
    const found = new Map<number, Uint8Array>();
    const sorted = [...offsets].sort((a, b) => a - b);
    for (let i = 0; i < sorted.length; ) {
      const from = sorted[i] as number;
      let last = from;
      for (; i < sorted.length && (sorted[i] as number) <= last + GAP_MAX; i++) last = sorted[i] as number;
      await this.read(from, last + 1, signal, ({ offset, value }) => {
        if (value !== null) found.set(offset, value);
      });
    }
    return offsets.map((offset) => found.get(offset));
  }

  private async readNew(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.clock.now();
    if (now - this.refreshedAt > FORGET_MS) {
      this.known = new ObjectIndex();
      this.position = 0;
    }
    const { begin, end } = await this.log.offsets(this.at);
    await this.read(Math.max(this.position, begin), end, signal, (record, next) => {
      this.known.add(record);
      this.position = next;
    });
    this.position = Math.max(this.position, end);
    this.refreshedAt = now;
  }

  private async read(
    from: number,
    to: number,
    signal: AbortSignal,
    each: (record: LogRecord, next: number) => void,
  ): Promise<void> {
    if (from < to) {
      for await (const { records } of this.log.read(this.at, from, { to, signal })) {
        for (const record of records) each(record, record.offset + 1);
      }
    }
    // A reading that is aborted just ends.
    signal.throwIfAborted();
  }
}
