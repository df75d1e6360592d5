import { mixBits } from '../../engine/index.js';

/** FNV-1a of 32 bits over bytes, mixed once more, so that its first bits are as good as its last. */
export function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return mixBits(h) >>> 0;
}
