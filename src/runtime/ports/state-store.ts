import type { EntryBlock, StateEntry } from './entry-block.js';
import type { TopicPartition } from './log.js';

export type { StateEntry } from './entry-block.js';

export interface StateBatch {
  /** Offset of the partition up to which records are in it: that of the cut. */
  readonly position: number;
  /** The cut that holds after this batch: small, opaque bytes that say which position the keys belong to. */
  readonly cut: Uint8Array;
  readonly puts: readonly StateEntry[];
  readonly deletes: readonly Uint8Array[];
}

/** State of one partition. A batch is written whole or not at all, and survives a crash of the process once it resolved. */
export interface PartitionState {
  /** The last cut, or `null` when nothing was ever stored. */
  cut(): Promise<Uint8Array | null>;
  /** All entries that belong to the last cut, in order of key bytes. */
  entries(): AsyncIterable<StateEntry>;
  /** The same, many at a time: for those who read all of them. Absent: one by one alone. */
  blocks?(): AsyncIterable<EntryBlock>;
  write(batch: StateBatch): Promise<void>;
  /** Forgets everything, the cut included. */
  clear(): Promise<void>;
  /**
   * Puts a copy that is kept elsewhere in the place of what is held: the newest one at or before an offset. Answers whether there
   * was one; if not, what is held stays. Absent: no copies are kept. A second call gives an older copy than the first.
   */
  restoreCopy?(atOrBefore: number): Promise<boolean>;
  /** Position of the copy that `restoreCopy` would put in place; `null`: there is none. */
  newestCopy?(atOrBefore: number): Promise<number | null>;
  /** `clear`, of the copies kept elsewhere too: the partition was begun anew, and what they say does not hold. */
  forgetCopies?(): Promise<void>;
  /** The partition was given up: nothing is written until it is asked of the store again. */
  release?(): Promise<void>;
}

export class StateStoreError extends Error {
  constructor(
    /** `STATE_LOCKED`: another process has it; `STATE_FOREIGN`: not a state folder of ours; `STATE_CORRUPT`; `STATE_DISK_FULL`. */
    readonly code: 'STATE_LOCKED' | 'STATE_FOREIGN' | 'STATE_CORRUPT' | 'STATE_DISK_FULL' | 'STATE_IO',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** No topic can be called so. */
const BESIDES = '~filling';

/** Stands for what is kept beside a partition's state, on this machine alone. */
export const besidesPartition = ({ topic, partition }: TopicPartition): TopicPartition => ({
  topic: `${topic}${BESIDES}`,
  partition,
});

/** Whether it stands for what is kept beside one. */
export const isBesides = ({ topic }: TopicPartition): boolean => topic.endsWith(BESIDES);

/** The state port. `test/contracts/state-store-contract.ts` states what every implementation must do. */
export interface StateStore {
  partition(partition: TopicPartition): Promise<PartitionState>;
  close(): Promise<void>;
}
