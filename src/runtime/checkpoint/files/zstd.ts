import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { Compression } from './part-codec.js';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Zstandard at its fastest, on the threads of the pool. */
export const zstd: Compression = {
  compress: (bytes) => compress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
  decompress: (compressed, bytes) => decompress(compressed, { maxOutputLength: Math.max(bytes, 1) }),
};
