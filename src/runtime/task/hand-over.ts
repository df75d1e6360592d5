import type { KeyState } from '../../engine/index.js';
import type { KeyMemory } from '../detector.js';

/** All that is known of a key, or the bytes of it. */
export type Released = KeyState | Uint8Array;
export type Receive = (key: string, value: Released) => void;

/** Where keys are until they go to an engine: with one whose rules are over, or as a store had them. */
export interface KeySource {
  readonly keys: number;
  readonly runs: number;
  memory(): KeyMemory;
  /** Time of the earliest timer; infinity: none. */
  nextTimer(): number;
  /** Takes out all that is known of a key. */
  release(key: string): Released | undefined;
  /** Takes out the keys whose timers are due at `time` or before. */
  releaseDue(time: number, receive: Receive): void;
  /** Takes out the keys of `count` places from `from` on; answers the place to go on with, or -1: there are no more. */
  releaseSome(from: number, count: number, receive: Receive): number;
}

/**
 * The keys of a source, on their way to the engine that is to have them. A key goes when an event of it comes or
 * a timer of it is due, so that no result depends on when; the others go some at a time, so that no call is long however many
 * they are.
 */
export class HandOver {
  /** The slot to go on with; -1: all have gone. */
  private next = 0;

  constructor(
    readonly from: KeySource,
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
