/**
 * A file for what memory has no room for, which nothing outlives: it begins empty, and its bytes are gone with the process. Reading and
 * writing waits: an event cannot go on without them.
 */
export interface SpillFile {
  /** Fills `into` with what was written from `position` on. Throws where that cannot be read. */
  read(position: number, into: Uint8Array): void;
  /** Throws where there is no space. */
  write(position: number, bytes: Uint8Array): void;
  close(): void;
}
