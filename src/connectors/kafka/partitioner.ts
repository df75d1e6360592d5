/** Kafka's default partitioner: murmur2 of the key, the sign bit dropped, modulo the number of partitions. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** MurmurHash2 in 32 bits with Kafka's seed. */
export function murmur2(data: Uint8Array): number {
  const m = 0x5bd1e995;
  const length = data.length;
  let h = 0x9747b28c ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = at(data, i) | (at(data, i + 1) << 8) | (at(data, i + 2) << 16) | (at(data, i + 3) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const rest = length - whole;
  if (rest >= 3) h ^= at(data, whole + 2) << 16;
  if (rest >= 2) h ^= at(data, whole + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ at(data, whole), m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}

function at(data: Uint8Array, i: number): number {
  return data[i] ?? 0;
}
