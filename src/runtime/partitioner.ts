/**
 * Kafka's default partitioner: murmur2 of the key, its sign bit dropped, modulo the number of partitions. Every producer and
 * every re-keyed stream must agree on it, or the events of one key end up with two tasks.
 */

const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;

/** Murmur2 as org.apache.kafka.common.utils.Utils has it: a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  const whole = length & ~3;
  let h = SEED ^ length;
  for (let i = 0; i < whole; i += 4) {
    let k = byte(data, i) | (byte(data, i + 1) << 8) | (byte(data, i + 2) << 16) | (byte(data, i + 3) << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  const left = length - whole;
  if (left > 0) {
    let tail = byte(data, whole);
    if (left > 1) tail |= byte(data, whole + 1) << 8;
    if (left > 2) tail |= byte(data, whole + 2) << 16;
    h = Math.imul(h ^ tail, M);
  }
  h = Math.imul(h ^ (h >>> 13), M);
  return (h ^ (h >>> 15)) | 0;
}

/** The partition of a key, from 0 to `partitions - 1`. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

function byte(data: Uint8Array, index: number): number {
  return data[index] as number;
}
