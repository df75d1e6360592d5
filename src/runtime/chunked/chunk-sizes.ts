/** When events are put apart, in bytes of them. */
export interface ChunkSizes {
  /** A state with fewer is one entry, and one that has chunks becomes one entry again below half of it. */
  readonly splitFrom: number;
  /** A chunk is full. */
  readonly chunkBytes: number;
}

export const CHUNK_SIZES: ChunkSizes = { splitFrom: 768, chunkBytes: 384 };
