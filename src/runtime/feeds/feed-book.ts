import type { Clock } from '../ports/clock.js';
import type { Log, OutgoingRecord } from '../ports/log.js';
import { TopicFollower } from '../topic-follower.js';

/** How far rows were fed into a topic. */
export interface FeedProgress {
  /** The topic that they are fed into. */
  readonly topic: string;
  /** What they come from, in words: nothing else is fed into the same topic. */
  readonly from: string;
  /** Rows that are in the topic. */
  readonly rows: number;
  /** Where the last of them stands; `null`: there is none yet. */
  readonly after: readonly string[] | null;
  /** Where the last row stands that is to be fed; `null`: there was none. */
  readonly last: readonly string[] | null;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  /** The same; `null`: there are rows left. */
  readonly doneAt: number | null;
}

export interface FeedBookOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: string;
  readonly onTrouble: (error: Error | null) => void;
}

const text = new TextEncoder();
const utf8 = new TextDecoder();

/** How far each topic was fed, as a compacted topic has it that all processes read: of each topic the last record holds. */
export class FeedBook {
  private readonly known = new Map<string, FeedProgress>();
  private readonly follower: TopicFollower;

  constructor(private readonly options: FeedBookOptions) {
    const { log, clock, topic, onTrouble } = options;
    this.follower = new TopicFollower({
      ...{ log, clock, topic, onTrouble },
      onRecord: ({ value }) => {
        const progress = value === null ? null : progressOf(value);
        if (progress !== null) this.known.set(progress.topic, progress);
      },
      onRead: async () => undefined,
    });
  }

  get topic(): string {
    return this.options.topic;
  }

  /** Reads all there is; waits for a log that is away. */
  open(): Promise<void> {
    return this.follower.open();
  }

  /** Takes in what comes, until `stop`. */
  follow(): void {
    this.follower.follow();
  }

  stop(): Promise<void> {
    return this.follower.stop();
  }

  /** Takes in what is committed by now. */
  refresh(): Promise<void> {
    return this.follower.readToEnd();
  }

  /** `null`: nothing was fed into this topic. */
  get(topic: string): FeedProgress | null {
    return this.known.get(topic) ?? null;
  }

  /** What says so, for the transaction of the rows. */
  record(progress: FeedProgress): OutgoingRecord {
    const [key, value] = [progress.topic, JSON.stringify(progress)].map((part) => text.encode(part));
    return { topic: this.options.topic, partition: 0, key: key!, value: value! };
  }
}

function progressOf(value: Uint8Array): FeedProgress | null {
  try {
    const read = JSON.parse(utf8.decode(value)) as FeedProgress;
    return typeof read.topic === 'string' && typeof read.rows === 'number' ? read : null;
  } catch {
    // Not ours: someone wrote to the topic by hand.
    return null;
  }
}
