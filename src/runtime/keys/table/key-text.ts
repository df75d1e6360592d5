import { mixBits } from '../../../engine/index.js';

/**
 * A key's text as words: what a table compares and stores. One byte a character where all are Latin-1, otherwise two, the
 * low one first; so any string comes back exactly, lone surrogates too.
 *
 * `scanKey` leaves its result here, so that looking a key up allocates nothing: it holds until the next call.
 */
export const scanned = {
  /** The characters, the last word filled up with zeros. */
  words: new Int32Array(64),
  /** Words in use. */
  count: 0,
  /** Number of characters, twice; one more where they take two bytes. */
  head: 0,
};
let bytes = new Uint8Array(scanned.words.buffer);

/** FNV-1a over the characters, with a final mix so that low and high bits can be used apart. */
const BASIS = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

/** Takes in a key, and answers its hash: 32 bits, signed. */
export function scanKey(key: string): number {
  const { length } = key;
  if (length * 2 > bytes.length) enlarge(length * 2);
  const count = (length + 3) >> 2;
  if (count > 0) scanned.words[count - 1] = 0;
  let hash = BASIS;
  let all = 0;
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i);
    all |= unit;
    bytes[i] = unit;
    hash = Math.imul(hash ^ unit, PRIME);
  }
  scanned.count = count;
  scanned.head = length * 2;
  if (all > 0xff) widen(key);
  return mixBits(hash);
}

/** The hash of a key again, from its bytes. */
export function hashOfBytes(text: Uint8Array, start: number, head: number): number {
  const step = 1 + (head & 1);
  const end = start + (head >>> 1) * step;
  let hash = BASIS;
  for (let i = start; i < end; i += step) hash = Math.imul(hash ^ unitAt(text, i, step), PRIME);
  return mixBits(hash);
}

/** One character; `step`: the bytes that it takes. */
export function unitAt(text: Uint8Array, at: number, step: number): number {
  return step === 1 ? text[at]! : text[at]! | (text[at + 1]! << 8);
}

/** Words that the characters of a key with this `head` take. */
export function wordsOf(head: number): number {
  const length = head >>> 1;
  return head & 1 ? (length + 1) >> 1 : (length + 3) >> 2;
}

function widen(key: string): void {
  scanned.head = key.length * 2 + 1;
  scanned.count = wordsOf(scanned.head);
  scanned.words[scanned.count - 1] = 0;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    bytes[i * 2] = unit;
    bytes[i * 2 + 1] = unit >>> 8;
  }
}

function enlarge(length: number): void {
  scanned.words = new Int32Array((length + 3) >> 2);
  bytes = new Uint8Array(scanned.words.buffer);
}
