import type { DetectorListener, DetectorStatus } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { type FromLane, type LaneEvent, STATUS_INTERVAL_MS, TOLD_AHEAD, TOLD_EVENTS } from './messages.js';

export interface EventSenderOptions {
  readonly send: (message: FromLane) => void;
  /** `null` before the lane is made. */
  readonly status: () => DetectorStatus | null;
  readonly clock: Clock;
  /** Calls back when the thread has done what it is at: what happens meanwhile goes into one message. */
  readonly soon: (callback: () => void) => void;
}

/** Events that wait for the main thread, at most. */
export const WAITING_MAX = 10_000;

/**
 * Tells the main thread what a lane tells its listener.
 *
 * 1. Events arrive in the order they happened, many in one message. Alerts and changes of phase or partitions go with the next turn
 *    of the thread; what only metrics want waits for them, or for the next status.
 * 2. At most `TOLD_AHEAD` messages are on their way. A main thread that is slow does not hold up detection: events wait, and beyond
 *    `WAITING_MAX` they are dropped and counted, but for changes of phase and partitions, of which there are few. Alerts are on
 *    their topic already; only this process's own handlers, metrics and log miss something.
 */
export class EventSender {
  private waiting: LaneEvent[] = [];
  private credit = TOLD_AHEAD;
  private dropped = 0;
  private isDue = false;
  private statusDue = false;
  /** Something was to be told and could not be yet. */
  private heldUp = false;
  private cancelTick: () => void = () => undefined;

  constructor(private readonly options: EventSenderOptions) {}

  readonly listener: Required<DetectorListener> = {
    onAlert: (...args) => this.add(['onAlert', ...args], true),
    onPhase: (...args) => this.change(['onPhase', ...args]),
    onPartitions: (partitions, change) =>
      this.change(['onPartitions', partitions.map(({ topic, partition }) => ({ topic, partition })), change]),
    onDeadLetter: ({ topic, partition }, ...args) => this.add(['onDeadLetter', { topic, partition }, ...args]),
    onQuarantined: ({ topic, partition }, stopped) => this.add(['onQuarantined', { topic, partition }, stopped]),
    onBatch: (...args) => this.add(['onBatch', ...args]),
    onCommit: (...args) => this.add(['onCommit', ...args]),
  };

  readonly report = (text: string): void => this.add(['report', text], true);

  readonly warn = (text: string, trouble: Error): void => this.add(['warn', text, trouble.message], true);

  /** Tells the status from now on. */
  start(): void {
    this.cancelTick = this.options.clock.schedule(STATUS_INTERVAL_MS, () => {
      this.statusDue = true;
      this.flush();
      this.start();
    });
  }

  /** The main thread took in one message. */
  heard(): void {
    this.credit++;
    if (this.heldUp) this.flush();
  }

  /** Tells all that is left, whether the main thread keeps up or not: nothing comes after it. */
  close(): void {
    this.cancelTick();
    this.credit = Number.POSITIVE_INFINITY;
    this.statusDue = true;
    this.flush();
  }

  /** Tells what waits now, as far as the main thread keeps up. */
  flush(): void {
    while (this.credit > 0 && (this.waiting.length > 0 || this.statusDue)) {
      const events = this.waiting.splice(0, TOLD_EVENTS);
      // The status belongs after the last event; with more to come it would be ahead of them.
      const status = this.statusDue && this.waiting.length === 0 ? this.options.status() : null;
      if (this.waiting.length === 0) this.statusDue = false;
      if (events.length === 0 && status === null) return;
      this.credit--;
      this.options.send({ kind: 'told', events, status });
    }
    this.heldUp = this.waiting.length > 0 || this.statusDue;
    this.tellDropped();
  }

  private change(event: LaneEvent): void {
    this.statusDue = true;
    this.waiting.push(event);
    this.flushSoon();
  }

  private add(event: LaneEvent, urgent = false): void {
    if (this.waiting.length >= WAITING_MAX) {
      this.dropped++;
      return;
    }
    this.waiting.push(event);
    if (urgent || this.waiting.length >= TOLD_EVENTS) this.flushSoon();
  }

  private flushSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    this.options.soon(() => {
      this.isDue = false;
      this.flush();
    });
  }

  private tellDropped(): void {
    if (this.dropped === 0 || this.waiting.length > 0) return;
    const text = `${this.dropped} events (alerts, batches, commits) were not told to handlers and metrics of this process, because its main thread was busy; the topics have all of them`;
    this.dropped = 0;
    this.report(text);
  }
}
