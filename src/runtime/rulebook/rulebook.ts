import { Backoff, pause } from '../backoff.js';
import type { Clock } from '../ports/clock.js';
import type { Log, LogRecord } from '../ports/log.js';
import { RevisionChain, type RulebookEntry, type Sealed, type SetRevision, seal } from './revision.js';

export interface RulebookOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: string;
  /** The set in force has changed, by whoever published it. Never called twice at once. */
  readonly onLive: (revision: SetRevision) => Promise<void>;
  readonly onTrouble: (error: Error | null) => void;
}

/** Someone else published first. */
export class RulebookConflictError extends Error {
  readonly code = 'RULES_CONFLICT';
}

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5000;
const text = new TextEncoder();
const utf8 = new TextDecoder();

/**
 * The rule sets of a group of processes, in a topic that all of them read: one record holds one whole set, so that it is there whole or
 * not at all, and all processes come to the same one.
 *
 * Who publishes names the entry that theirs follows from. Of two that follow from the same one the first on the topic holds; the other
 * is nobody's rule set. So no two processes need to agree on anything but the order of a topic.
 */
export class Rulebook {
  readonly chain = new RevisionChain();
  private position = 0;
  private told: SetRevision | null = null;
  private readonly stopping = new AbortController();
  private following: Promise<void> | null = null;
  private taking: Promise<void> = Promise.resolve();

  constructor(private readonly options: RulebookOptions) {}

  /** Reads all there is; waits for a log that is away. Nothing is told of it: look at `chain`. */
  async open(): Promise<void> {
    const { log, clock, topic, onTrouble } = this.options;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    for (;;) {
      try {
        await log.createTopic({ name: topic, partitions: 1, compacted: true });
        await this.readToEnd();
        this.told = this.chain.live;
        onTrouble(null);
        return;
      } catch (error) {
        onTrouble(error as Error);
        await pause(clock, retry.next(), this.stopping.signal);
        if (this.stopping.signal.aborted) throw new Error('stopped before the rules were read', { cause: error });
      }
    }
  }

  /** Tells of what comes, until `stop`. */
  follow(): void {
    this.following ??= this.followOn();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.taking;
  }

  /**
   * Writes an entry that follows from the last that is known. Resolves when it holds, and what it brings into force was told.
   *
   * @throws RulebookConflictError Another came first: look at what it says, and try again.
   */
  async publish<E extends RulebookEntry>(make: () => E): Promise<Sealed<E>> {
    const { log, topic } = this.options;
    await this.readToEnd();
    const entry = seal(make(), this.chain.head);
    const producer = await log.producer();
    try {
      // No two keys are the same: compaction takes nothing away.
      await producer.send([
        { topic, partition: 0, key: text.encode(entry.hash), value: text.encode(JSON.stringify(entry)) },
      ]);
    } finally {
      await producer.close();
    }
    await this.readToEnd();
    if (!this.chain.all.some(({ hash }) => hash === entry.hash)) {
      throw new RulebookConflictError(
        'someone else changed the rules at the same moment: look at the rules as they are now, and try again',
      );
    }
    await this.tell();
    return entry;
  }

  private async readToEnd(): Promise<void> {
    const { log, topic } = this.options;
    const { signal } = this.stopping;
    const { begin, end } = await log.offsets({ topic, partition: 0 });
    for await (const batch of log.read({ topic, partition: 0 }, Math.max(begin, this.position), { to: end, signal }))
      this.take(batch.records, batch.nextOffset);
  }

  /** Records may be read twice, here and by who follows. */
  private take(records: readonly LogRecord[], next: number): void {
    for (const { offset, value } of records) {
      if (offset < this.position) continue;
      const entry = value === null ? null : entryOf(value);
      if (entry !== null) this.chain.add(entry);
      this.position = offset + 1;
    }
    this.position = Math.max(this.position, next);
  }

  /** One after the other, the last one last. */
  private tell(): Promise<void> {
    this.taking = this.taking.then(async () => {
      const { live } = this.chain;
      if (live === null || live === this.told) return;
      this.told = live;
      await this.options.onLive(live);
    });
    return this.taking;
  }

  private async followOn(): Promise<void> {
    const { log, clock, topic, onTrouble } = this.options;
    const { signal } = this.stopping;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    while (!signal.aborted) {
      try {
        for await (const batch of log.read({ topic, partition: 0 }, this.position, { follow: true, signal })) {
          retry.reset();
          onTrouble(null);
          this.take(batch.records, batch.nextOffset);
          await this.tell();
        }
      } catch (error) {
        if (!signal.aborted) onTrouble(error as Error);
      }
      await pause(clock, retry.next(), signal);
    }
  }
}

function entryOf(value: Uint8Array): Sealed | null {
  try {
    const entry = JSON.parse(utf8.decode(value)) as Sealed;
    return entry.kind === 'revision' || entry.kind === 'approval' ? entry : null;
  } catch {
    // Not ours: someone wrote to the topic by hand.
    return null;
  }
}
