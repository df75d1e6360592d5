import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import { TopicFollower } from '../topic-follower.js';
import { RevisionChain, type RulebookEntry, type Sealed, type SetRevision, seal } from './revision.js';

export interface RulebookOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: string;
  /** The set in force has changed, by whoever published it. Never called twice at once. */
  readonly onLive: (revision: SetRevision) => Promise<void>;
  readonly onTrouble: (error: Error | null) => void;
}

/** What a look at the whole history has found. */
export interface RulebookAudit {
  /** Every entry is as it was written, and follows from the one before. */
  readonly intact: boolean;
  readonly entries: number;
  /** Hash of the last entry that is believed: a copy of it, kept elsewhere, shows later that nothing was taken from the end. */
  readonly head: string;
  readonly damage: string | null;
  /** Hashes of all that are believed. */
  readonly hashes: readonly string[];
}

/** Someone else published first. */
export class RulebookConflictError extends Error {
  readonly code = 'RULES_CONFLICT';
}

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
  private told: SetRevision | null = null;
  private readonly follower: TopicFollower;

  constructor(private readonly options: RulebookOptions) {
    const { log, clock, topic, onTrouble } = options;
    this.follower = new TopicFollower({
      ...{ log, clock, topic, onTrouble },
      onRecord: ({ value }) => {
        const entry = value === null ? null : entryOf(value);
        if (entry !== null) this.chain.add(entry);
      },
      onRead: () => this.tell(),
    });
  }

  /** Reads all there is; waits for a log that is away. Nothing is told of it: look at `chain`. */
  async open(): Promise<void> {
    await this.follower.open();
    this.told = this.chain.live;
  }

  /** Reads what there is now, once; throws where the log is away. */
  async refresh(): Promise<void> {
    await this.follower.readToEnd();
  }

  /** Reads the whole topic anew, as someone who knows nothing of it: what is in it now, and not what this process has seen before. */
  async audit(): Promise<RulebookAudit> {
    const fresh = new Rulebook({ ...this.options, onLive: async () => undefined });
    await fresh.follower.readToEnd();
    const { all, damage, head } = fresh.chain;
    const seen = this.chain.all.find(({ hash }) => !all.some((entry) => entry.hash === hash));
    const lost =
      seen && `the entry of ${new Date(seen.at).toISOString()}, which this process has read, is not there any more`;
    const trouble = damage ?? lost ?? null;
    return {
      intact: trouble === null,
      entries: all.length,
      head,
      damage: trouble,
      hashes: all.map(({ hash }) => hash),
    };
  }

  /** Tells of what comes, until `stop`. */
  follow(): void {
    this.follower.follow();
  }

  stop(): Promise<void> {
    return this.follower.stop();
  }

  /**
   * Writes an entry that follows from the last that is known. Resolves when it holds, and what it brings into force was told.
   *
   * @throws RulebookConflictError Another came first: look at what it says, and try again.
   */
  async publish<E extends RulebookEntry>(make: () => E): Promise<Sealed<E>> {
    await this.follower.readToEnd();
    const entry = seal(make(), this.chain.head);
    // No two keys are the same: compaction takes nothing away.
    await this.follower.append([{ key: text.encode(entry.hash), value: text.encode(JSON.stringify(entry)) }]);
    await this.follower.readToEnd();
    if (!this.chain.all.some(({ hash }) => hash === entry.hash)) {
      throw new RulebookConflictError(
        'someone else changed the rules at the same moment: look at the rules as they are now, and try again',
      );
    }
    await this.follower.tell();
    return entry;
  }

  private async tell(): Promise<void> {
    const { live } = this.chain;
    if (live === null || live === this.told) return;
    this.told = live;
    await this.options.onLive(live);
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
