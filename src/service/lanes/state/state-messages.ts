import type { TopicPartition } from '../../../runtime/ports/log.js';
import type { WireError } from './wire-error.js';

/**
 * What a lane's thread and the state store in the main thread say to each other. Every request has a number of its own, which its
 * answer carries.
 */
export type StateRequest = Simple | Listing | Write | OfCopy;

interface Request {
  readonly id: number;
  readonly partition: TopicPartition;
}

interface Simple extends Request {
  readonly op: 'open' | 'cut' | 'clear' | 'release' | 'forgetCopies';
}

interface Listing extends Request {
  readonly op: 'list';
}

interface Write extends Request {
  readonly op: 'write';
  readonly position: number;
  readonly puts: number;
  /** The cut, key and value of each put, the key of each delete; see `packed.ts`. */
  readonly packed: ArrayBuffer;
}

interface OfCopy extends Request {
  readonly op: 'restoreCopy' | 'newestCopy';
  readonly atOrBefore: number;
}

/** For a listing under way: one more chunk may be sent, or no more are wanted. */
export interface ListingControl {
  readonly id: number;
  readonly op: 'more' | 'enough';
}

export interface Opened {
  /** The store keeps copies elsewhere: `restoreCopy` and the like can be called. */
  readonly copies: boolean;
}

export type StateAnswer =
  | { readonly id: number; readonly kind: 'result'; readonly value: Opened | Uint8Array | boolean | number | null }
  | { readonly id: number; readonly kind: 'error'; readonly error: WireError }
  /** Part of a listing: key and value of each entry, packed. */
  | { readonly id: number; readonly kind: 'entries'; readonly packed: ArrayBuffer; readonly last: boolean };

/** Chunks of one listing that are on their way at most. */
export const CHUNKS_AHEAD = 4;
