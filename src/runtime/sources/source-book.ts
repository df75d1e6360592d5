import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import { TopicFollower } from '../topic-follower.js';
import { SourceChain, type SourceChange, type SourceEntry, sealed } from './source-chain.js';

export interface SourceBookOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: string;
  /** Something may be another, by whoever changed it. Never called twice at once. */
  readonly onChange?: () => Promise<void>;
  readonly onTrouble?: (error: Error | null) => void;
}

/** Someone else changed a stream or sink first. */
export class SourceConflictError extends Error {
  readonly code = 'SOURCES_CONFLICT';
}

const text = new TextEncoder();
const utf8 = new TextDecoder();

/**
 * The streams and sinks that a group of processes was given while it ran: each change is a record of a topic that all of them read, and
 * names the one that it follows from. Of two that follow from the same one the first on the topic holds.
 */
export class SourceBook {
  readonly chain = new SourceChain();
  private readonly follower: TopicFollower;

  constructor(private readonly options: SourceBookOptions) {
    const { log, clock, topic, onChange, onTrouble } = options;
    this.follower = new TopicFollower({
      ...{ log, clock, topic },
      onRecord: ({ value }) => {
        const entry = value === null ? null : entryOf(value);
        if (entry !== null) this.chain.add(entry);
      },
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

  stop(): Promise<void> {
    return this.follower.stop();
  }

  /** Reads what others wrote up to now. */
  refresh(): Promise<void> {
    return this.follower.readToEnd();
  }

  /** Has `onChange` told; resolves when that is done. */
  tell(): Promise<void> {
    return this.follower.tell();
  }

  /** Reads the whole topic anew, as someone who knows nothing of it. */
  async audit(): Promise<SourceChain> {
    const fresh = new SourceBook({ ...this.options, onChange: async () => undefined });
    await fresh.follower.readToEnd();
    return fresh.chain;
  }

  /** Resolves when the change holds, and was told of. @throws SourceConflictError */
  async publish(make: () => SourceChange): Promise<SourceEntry> {
    await this.follower.readToEnd();
    const entry = sealed(make(), this.chain.head);
    // No two keys are the same: compaction takes nothing away.
    await this.follower.append([{ key: text.encode(entry.hash), value: text.encode(JSON.stringify(entry)) }]);
    await this.follower.readToEnd();
    if (!this.chain.all.some(({ hash }) => hash === entry.hash))
      throw new SourceConflictError('Someone else changed a stream or sink at the same moment: look, and try again.');
    await this.follower.tell();
    return entry;
  }
}

function entryOf(value: Uint8Array): SourceEntry | null {
  try {
    const entry = JSON.parse(utf8.decode(value)) as SourceEntry;
    return (entry.kind === 'stream' || entry.kind === 'sink') && typeof entry.name === 'string' ? entry : null;
  } catch {
    // Not ours: someone wrote to the topic by hand.
    return null;
  }
}
