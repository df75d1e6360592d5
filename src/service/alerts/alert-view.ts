import { Backoff, pause } from '../../runtime/backoff.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, RecordBatch } from '../../runtime/ports/log.js';
import type { AlertDecoder } from '../../runtime/sinks/alert-sink.js';
import { AlertWindow, type PlacedAlert } from './alert-window.js';

export interface AlertViewOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly decoder: AlertDecoder;
  readonly topic: string;
  /** Alerts held. Default 10,000. */
  readonly capacity?: number;
  /** How often new partitions of the topic are looked for. Default 10,000 ms. */
  readonly discoveryIntervalMs?: number;
  /** Told when the topic cannot be read, in words, and `null` when it can again. Must not throw. */
  readonly onTrouble?: (trouble: string | null) => void;
}

/** Next offset to see, by partition of the alerts topic. */
export type AlertPosition = ReadonlyMap<number, number>;

export interface LiveAlert {
  readonly alert: Alert;
  /** Where a follower goes on who has seen everything up to this one. */
  readonly position: AlertPosition;
}

export type LiveSubscriber = (live: LiveAlert) => void;

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;

/**
 * The latest alerts of the whole installation, read from the committed alerts topic: the same after a restart, and the same
 * on every instance.
 *
 * V1. Memory is bounded: `capacity` alerts, and one position a partition.
 * V2. A partition is read in order, from `capacity` records before its end at the start; every record once.
 * V3. A log that is away is tried again for ever; what was read stays readable.
 */
export class AlertView {
  private readonly window: AlertWindow;
  private readonly capacity: number;
  private readonly positions = new Map<number, number>();
  private readonly followers = new Map<number, Promise<void>>();
  private readonly subscribers = new Set<LiveSubscriber>();
  private readonly stopping = new AbortController();
  private readonly troubles = new Map<string, string>();
  private trouble: string | null = null;
  private discovering: Promise<void> = Promise.resolve();
  private unreadable = 0;

  constructor(private readonly options: AlertViewOptions) {
    this.capacity = options.capacity ?? 10_000;
    this.window = new AlertWindow(this.capacity);
  }

  /** Returns at once; reading goes on in the background. */
  start(): void {
    this.discovering = this.discover();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.discovering;
    await Promise.all(this.followers.values());
  }

  get(id: string): Alert | undefined {
    return this.window.get(id);
  }

  status(): { readonly held: number; readonly unreadable: number; readonly trouble: string | null } {
    return { held: this.window.size, unreadable: this.unreadable, trouble: this.trouble };
  }

  /**
   * Calls back with each alert as it comes, first with those held that come after `since`. Answers with a function that ends it.
   */
  subscribe(since: AlertPosition | null, callback: LiveSubscriber): () => void {
    if (since !== null) this.catchUp(since, callback);
    this.subscribers.add(callback);
    return () => this.subscribers.delete(callback);
  }

  private catchUp(since: AlertPosition, callback: LiveSubscriber): void {
    const position = new Map(since);
    for (const { alert, partition, offset } of this.window.where(
      (place) => place.offset >= (since.get(place.partition) ?? 0),
    )) {
      position.set(partition, offset + 1);
      callback({ alert, position: new Map(position) });
    }
  }

  /** Looks for the topic's partitions for as long as the view lives: the topic may not be there yet, or grow. */
  private async discover(): Promise<void> {
    const { log, topic, clock } = this.options;
    const intervalMs = this.options.discoveryIntervalMs ?? 10_000;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    while (!this.stopping.signal.aborted) {
      let found = false;
      try {
        const partitions = (await log.topics()).find(({ name }) => name === topic)?.partitions ?? 0;
        for (let partition = 0; partition < partitions; partition++) {
          if (!this.followers.has(partition)) this.followers.set(partition, this.follow(partition));
        }
        found = partitions > 0;
        this.tell('topics', null);
      } catch (error) {
        this.tell('topics', error);
      }
      await pause(clock, found ? intervalMs : retry.next(), this.stopping.signal);
    }
  }

  private async follow(partition: number): Promise<void> {
    const { log, topic, clock } = this.options;
    const { signal } = this.stopping;
    const retry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    while (!signal.aborted) {
      try {
        const { begin, end } = await log.offsets({ topic, partition });
        const from = Math.max(begin, this.positions.get(partition) ?? end - this.capacity);
        this.positions.set(partition, from);
        this.tell(String(partition), null);
        for await (const batch of log.read({ topic, partition }, from, { follow: true, signal })) {
          retry.reset();
          this.take(batch);
        }
      } catch (error) {
        if (!signal.aborted) this.tell(String(partition), error);
      }
      await pause(clock, retry.next(), signal);
    }
  }

  private take({ partition, records, nextOffset }: RecordBatch): void {
    for (const { offset, value } of records) {
      this.positions.set(partition, offset + 1);
      if (value === null) continue;
      try {
        this.show({ alert: this.options.decoder.decode(value), partition, offset });
      } catch {
        this.unreadable += 1;
      }
    }
    this.positions.set(partition, nextOffset);
  }

  private show(placed: PlacedAlert): void {
    if (!this.window.add(placed) || this.subscribers.size === 0) return;
    const live = { alert: placed.alert, position: new Map(this.positions) };
    for (const callback of this.subscribers) callback(live);
  }

  private tell(part: string, error: unknown): void {
    if (error === null) this.troubles.delete(part);
    else this.troubles.set(part, error instanceof Error ? error.message : String(error));
    const trouble = this.troubles.values().next().value ?? null;
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.options.onTrouble?.(trouble);
  }
}
