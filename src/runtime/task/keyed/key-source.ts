import type { KeyState } from '../../../engine/index.js';
import type { KeyMemory } from '../../keys/memory.js';

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
  /** Nothing of it is needed any more. */
  close?(): void;
}
