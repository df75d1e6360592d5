/**
 * A savepoint is one file; numbers are little endian:
 *
 *     "stakeout-savepoint\n"
 *     frames: kind u8, length u32, content
 *     SHA-256 of all before it, 32 bytes
 *
 * The first frame is the header, the last one the totals, both JSON. Between them, for each partition: a frame that names it by its
 * place in the header, blocks with its entries, blocks with records that were held back. The checksum is where it is in every version
 * of the format, so that a file of a later version is told from a damaged one.
 */
export const MAGIC = new TextEncoder().encode('stakeout-savepoint\n');
export const DIGEST_BYTES = 32;
export const FRAME_HEAD_BYTES = 5;

export const FRAME = { header: 1, partition: 2, entries: 3, records: 4, totals: 5 } as const;
