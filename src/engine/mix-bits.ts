/**
 * The last mixing of MurmurHash3, of the low 32 bits of a whole number: numbers close together give numbers far apart. 32 bits with a sign.
 *
 * Rules see it (`hash`), and what is stored is cut by it (`row-blocks.ts`), so it gives the same in every release.
 */
export function mixBits(bits: number): number {
  let h = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
