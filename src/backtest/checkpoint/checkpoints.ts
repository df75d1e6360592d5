/**
 * Where a lane keeps what it has come to, so that another process goes on from there. What is kept replaces what was kept before, whole
 * or not at all.
 */
export interface Checkpoints {
  /** Asked between batches: whether it is time for another. */
  isDue(): boolean;
  /** The pieces are made while they are written. */
  save(pieces: Iterable<Uint8Array>): Promise<void>;
  /** What was kept last; `null`: nothing was that belongs to this back-test. */
  load(): Promise<readonly Uint8Array[] | null>;
}
