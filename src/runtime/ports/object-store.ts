/**
 * The object port: named bytes in one place that all instances see (a folder, a bucket, a compacted topic). Names are made of
 * letters, digits and `. _ - / =`. `test/contracts/object-store-contract.ts` states what every implementation must do.
 */
export interface ObjectStore {
  /** Writes whole or not at all; what had this name is replaced. Resolves when it is durable. */
  put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** `null`: there is none. */
  get(name: string, signal?: AbortSignal): Promise<Uint8Array | null>;
  /** Names that begin so, in order of their bytes. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** Nothing happens where there is none. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A store in which only one of those who write a name at the same time can be the first. */
export interface ClaimingStore extends ObjectStore {
  /** As `put`, but only where nothing has this name: false, nothing happened. */
  create(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<boolean>;
}

export class ObjectStoreError extends Error {
  constructor(
    /** `OBJECTS_DENIED`: no right to it; `OBJECTS_AWAY`: no answer, may be tried again; `OBJECTS_FULL`; `OBJECTS_IO`: anything else. */
    readonly code: 'OBJECTS_DENIED' | 'OBJECTS_AWAY' | 'OBJECTS_FULL' | 'OBJECTS_IO',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
