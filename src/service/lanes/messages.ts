import type { MessagePort } from 'node:worker_threads';
import type { Consideration, DetectorListener, DetectorStatus, Elsewhere, Question } from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { RuleSource } from '../compose/rules/running-rules.js';
import type { WireError } from './state/wire-error.js';

/** What a lane's thread gets when it is started (`workerData`): plain data, and a port that is moved. */
export interface LaneData {
  readonly settings: Settings;
  /** 0, 1, …: which of the lanes of this process it is. */
  readonly number: number;
  /** The rules as the main thread read them: all lanes run the same, whatever happens to the files meanwhile. */
  readonly sources: readonly RuleSource[];
  /** The lists that they ask; threads share the memory of them. */
  readonly lists: ReferenceLists['data'];
  /** Names of streams that are not read. */
  readonly paused?: readonly string[];
  /** To the state store of the main thread. */
  readonly statePort: MessagePort;
}

/** All that a lane tells: what a detector's listener hears, and lines for the log. */
export interface LaneListener extends Required<DetectorListener> {
  report(text: string): void;
  warn(text: string, trouble: string): void;
}

/** One call of a listener: the method and its arguments. */
export type LaneEvent = {
  [Method in keyof LaneListener]: readonly [method: Method, ...Parameters<LaneListener[Method]>];
}[keyof LaneListener];

/** From the main thread to a lane's. */
export type ToLane =
  /** One `told` was taken in: another may be sent. */
  | { readonly kind: 'heard' }
  | { readonly kind: 'delivery'; readonly mode: DeliveryMode }
  /** Go over to these rules; those that the thread was started with are over. */
  | { readonly kind: 'rules'; readonly sources: readonly RuleSource[] }
  /** Go over to these reference lists. */
  | { readonly kind: 'lists'; readonly lists: ReferenceLists['data'] }
  /** Of these streams nothing is read from now on, of all others it is. */
  | { readonly kind: 'paused'; readonly streams: readonly string[] }
  /** Store all state now, and say `stored`. */
  | { readonly kind: 'store' }
  /** Say what the record would do: `considered` with the same `id`. */
  | { readonly kind: 'consider'; readonly id: number; readonly question: Question }
  /** Finish, commit, give up the partitions, and say `stopped`. */
  | { readonly kind: 'stop' };

/** From a lane's thread to the main thread. */
export type FromLane =
  /** Events in the order they happened. `status` is that of the lane after them; `null`: not worth telling again yet. */
  | { readonly kind: 'told'; readonly events: readonly LaneEvent[]; readonly status: DetectorStatus | null }
  /** The lane has joined the group. */
  | { readonly kind: 'started' }
  /** The lane cannot be made or started. */
  | { readonly kind: 'failed'; readonly error: WireError }
  /** The answer to `store`. */
  | { readonly kind: 'stored'; readonly error: WireError | null }
  /** The answer to `consider`. */
  | {
      readonly kind: 'considered';
      readonly id: number;
      readonly answer: Consideration | Elsewhere | null;
      readonly error: WireError | null;
    }
  /** Nothing comes after it. `error`: it stopped, but not in good order. */
  | { readonly kind: 'stopped'; readonly error: WireError | null };

/** `told` that may be on their way at a time, and events in each. */
export const TOLD_AHEAD = 16;
export const TOLD_EVENTS = 512;
/** A lane's status is told this often, and with every change of its phase or its partitions. */
export const STATUS_INTERVAL_MS = 250;
