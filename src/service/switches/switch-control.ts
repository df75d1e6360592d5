import type { Detector } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, LogRecord } from '../../runtime/ports/log.js';
import { TopicFollower } from '../../runtime/topic-follower.js';

export interface SwitchControlOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: string;
  /** Names of the streams there are. */
  readonly streams: () => readonly string[];
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** What can be paused. */
export type Switched = 'stream' | 'sink';

export interface Switch {
  readonly paused: boolean;
  /** Milliseconds since 1970, by the clock of who wrote it. */
  readonly at: number;
  readonly author: string;
  /** Why. */
  readonly message: string;
}

/** A sink of this process. */
export interface PausableSink {
  readonly name: string;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

const text = new TextEncoder();
const utf8 = new TextDecoder();

/**
 * Which streams are read and which sinks are written to, for all processes of the group and for those to come: a record of a compacted
 * topic for each that was ever paused, of which the last one holds.
 *
 * A stream that is paused is not read: its partitions are given up, with all that was processed committed, and taken up again from there.
 * So no result depends on when it was paused, and the journal need not say so.
 */
export class SwitchControl {
  private readonly switches = new Map<string, Switch>();
  private readonly follower: TopicFollower;
  private readonly opened = Promise.withResolvers<void>();
  private detector: Detector | null = null;
  private sinks: readonly PausableSink[] = [];
  private trouble: string | null = null;

  constructor(private readonly options: SwitchControlOptions) {
    const { log, clock, topic, warn } = options;
    this.follower = new TopicFollower({
      ...{ log, clock, topic },
      onRecord: (record) => this.take(record),
      onRead: () => this.bringIntoForce(),
      onTrouble: (error) => {
        if (error !== null && error.message !== this.trouble)
          warn('what is paused cannot be read from its topic', error);
        this.trouble = error?.message ?? null;
      },
    });
    this.opened.promise.catch(() => undefined);
  }

  /** Reads what is paused; waits for a log that is away. */
  async open(): Promise<void> {
    try {
      await this.follower.open();
      this.opened.resolve();
    } catch (error) {
      this.opened.reject(error);
      throw error;
    }
  }

  attach(detector: Detector): void {
    this.detector = detector;
    this.follower.follow();
  }

  /** To be paused and resumed from now on. */
  attachSinks(sinks: readonly PausableSink[]): void {
    this.sinks = sinks;
  }

  async stop(): Promise<void> {
    this.opened.reject(new Error('stopped'));
    await this.follower.stop();
  }

  /** Resolves when it is known. */
  async isPausedAtStart(sink: string): Promise<boolean> {
    await this.opened.promise.catch(() => undefined);
    return this.isPaused('sink', sink);
  }

  isPaused(what: Switched, name: string): boolean {
    return this.switches.get(`${what}/${name}`)?.paused ?? false;
  }

  /** `null`: it was never paused. */
  get(what: Switched, name: string): Switch | null {
    return this.switches.get(`${what}/${name}`) ?? null;
  }

  get pausedStreams(): readonly string[] {
    return this.options.streams().filter((name) => this.isPaused('stream', name));
  }

  knows(what: Switched, name: string): boolean {
    const names = what === 'stream' ? this.options.streams() : this.sinks.map((sink) => sink.name);
    return names.includes(name);
  }

  /** Pauses or resumes; resolves when it is durable, and on its way in this process. */
  async set(what: Switched, name: string, paused: boolean, by: Pick<Switch, 'author' | 'message'>): Promise<Switch> {
    const made: Switch = { paused, at: this.options.clock.now(), ...by };
    await this.follower.append([{ key: text.encode(`${what}/${name}`), value: text.encode(JSON.stringify(made)) }]);
    await this.follower.readToEnd();
    await this.follower.tell();
    return made;
  }

  private take({ key, value }: LogRecord): void {
    if (key === null) return;
    const name = utf8.decode(key);
    const read = value === null ? null : switchOf(value);
    const before = this.switches.get(name)?.paused ?? false;
    if (read === null) this.switches.delete(name);
    else this.switches.set(name, read);
    const after = read?.paused ?? false;
    if (this.detector !== null && after !== before)
      this.options.report(
        `${name.replace('/', ' ')} is ${after ? 'paused' : 'resumed'} by ${read?.author ?? 'someone'}`,
      );
  }

  private async bringIntoForce(): Promise<void> {
    try {
      await this.detector?.pauseStreams?.(this.pausedStreams);
      await Promise.all(this.sinks.map((sink) => (this.isPaused('sink', sink.name) ? sink.pause() : sink.resume())));
    } catch (error) {
      this.options.warn('what was paused or resumed is not so here', error as Error);
    }
  }
}

function switchOf(value: Uint8Array): Switch | null {
  try {
    const read = JSON.parse(utf8.decode(value)) as Switch;
    return typeof read.paused === 'boolean' ? read : null;
  } catch {
    // Not ours: someone wrote to the topic by hand.
    return null;
  }
}
