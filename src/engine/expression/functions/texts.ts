import { mixBits } from '../../mix-bits.js';
import type { EngineFunction } from './function.js';

/** Longer texts are compared by so many of their first characters: the cost grows with the square. */
const COMPARED_MAX = 128;

const ofText = (name: string, result: EngineFunction['result'], apply: (text: string) => string | number) =>
  ({ name, params: ['string'], result, apply }) satisfies EngineFunction;

const ofTwo = (name: string, result: EngineFunction['result'], apply: (a: string, b: string) => number | boolean) =>
  ({ name, params: ['string', 'string'], result, apply }) satisfies EngineFunction;

export const textFunctions: readonly EngineFunction[] = [
  ofTwo('startsWith', 'boolean', (text, start) => text.startsWith(start)),
  ofTwo('endsWith', 'boolean', (text, end) => text.endsWith(end)),
  ofTwo('contains', 'boolean', (text, part) => text.includes(part)),
  ofTwo('matchesGlob', 'boolean', matchesGlob),
  ofTwo('editDistance', 'number', editDistance),
  ofTwo('similarity', 'number', similarity),
  ofText('size', 'number', (text) => text.length),
  ofText('lower', 'string', (text) => text.toLowerCase()),
  ofText('upper', 'string', (text) => text.toUpperCase()),
  ofText('trim', 'string', (text) => text.trim()),
  {
    name: 'substring',
    params: ['string', 'number', 'number'],
    required: 2,
    result: 'string',
    apply: (text: string, from: number, to = text.length) => text.slice(Math.max(0, from), Math.max(0, to)),
  },
  { name: 'string', params: ['any'], result: 'string', apply: String },
  { name: 'hash', params: ['any', 'number'], result: 'number', apply: hash, check: checkBuckets },
];

/**
 * `*` stands for any characters, `?` for one. Goes back to the last `*` alone, so that the cost is the product of the two
 * lengths at worst.
 */
function matchesGlob(text: string, glob: string): boolean {
  let t = 0;
  let g = 0;
  let star = -1;
  let starAt = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++;
      starAt = t;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++;
      t++;
    } else if (star >= 0) {
      g = star + 1;
      t = ++starAt;
    } else {
      return false;
    }
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

/** Levenshtein's: fewest insertions, deletions and replacements of one character. */
function editDistance(left: string, right: string): number {
  const a = left.slice(0, COMPARED_MAX);
  const b = right.slice(0, COMPARED_MAX);
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = diagonal + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      diagonal = row[j]!;
      row[j] = Math.min(replaced, diagonal + 1, row[j - 1]! + 1);
    }
  }
  return row[b.length]!;
}

/** 1: equal; 0: nothing in common. */
function similarity(a: string, b: string): number {
  const longer = Math.min(COMPARED_MAX, Math.max(a.length, b.length));
  return longer === 0 ? 1 : 1 - editDistance(a, b) / longer;
}

/**
 * 0 up to n - 1, the same for the same value in every release: FNV-1a of 32 bits over the UTF-16 units of the text, low byte
 * first, then the last mixing of MurmurHash3, modulo n.
 */
function hash(value: number | string | boolean, n: number): number | undefined {
  if (!Number.isInteger(n) || n < 1) return undefined;
  const text = String(value);
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    h = Math.imul(h ^ (unit & 0xff), 0x01000193);
    h = Math.imul(h ^ (unit >>> 8), 0x01000193);
  }
  return (mixBits(h) >>> 0) % n;
}

function checkBuckets(args: Parameters<NonNullable<EngineFunction['check']>>[0]) {
  const n = args[1];
  if (n === undefined || (Number.isInteger(n) && (n as number) >= 1)) return undefined;
  return { index: 1, message: 'The number of buckets must be a whole number of at least 1.' };
}
