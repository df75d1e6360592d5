import type { KeyState } from '../../engine/index.js';
import type { KeyedEngine } from './keyed-engine.js';

/** All that is known of a key, or the bytes of it. */
export type Released = KeyState | Uint8Array;
export type Receive = (key: string, value: Released) => void;

/**
 * The keys of an engine whose rules are over, on their way to the one that comes after it. A key goes when an event of it comes or
 * a timer of it is due, so that no result depends on when; the others go some at a time, so that no call is long however many
 * they are.
 */
export class HandOver {
  /** The slot to go on with; -1: all have gone. */
  private next = 0;

  constructor(
    readonly from: KeyedEngine,
    private readonly receive: Receive,
  ) {}

  bring(key: string): void {
    const value = this.from.release(key);
    if (value !== undefined) this.receive(key, value);
  }

  /** Brings the keys with timers at `time` or before. */
  bringDue(time: number): void {
    this.from.releaseDue(time, this.receive);
  }

  /** Looks at some slots more; says whether none is left. */
  bringSome(count: number): boolean {
    if (this.next >= 0) this.next = this.from.releaseSome(this.next, count, this.receive);
    return this.next < 0;
  }
}
