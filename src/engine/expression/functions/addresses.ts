import type { EngineFunction } from './function.js';

/** An address as four words of 32 bits. One of IPv4 is `::ffff:a.b.c.d`, so that both forms of it are the same. */
type Address = readonly [number, number, number, number];

interface Range {
  readonly address: Address;
  /** Leading bits that must be equal, of 128. */
  readonly bits: number;
}

/** More ranges than this are parsed again: rules name few, and a field that holds ranges must not fill the memory. */
const KNOWN_MAX = 1024;
const V4_BITS = 96;

export const addressFunctions: readonly EngineFunction[] = [
  {
    name: 'ipIn',
    params: ['string', 'string'],
    result: 'boolean',
    apply: ipIn,
    check: ([, range]) =>
      typeof range !== 'string' || rangeOf(range) !== null
        ? undefined
        : {
            index: 1,
            message: `${range} is no range of addresses.`,
            hint: "Write '10.0.0.0/8', '2001:db8::/32', or one address.",
          },
  },
];

function ipIn(ip: string, range: string): boolean | undefined {
  const within = knownRange(range);
  if (within === null) return undefined;
  const address = addressOf(ip);
  if (address === null) return undefined;
  return sharesBits(address, within.address, within.bits);
}

const known = new Map<string, Range | null>();

function knownRange(text: string): Range | null {
  let range = known.get(text);
  if (range === undefined) {
    range = rangeOf(text);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, range);
  }
  return range;
}

function sharesBits(a: Address, b: Address, bits: number): boolean {
  for (let i = 0; i < 4; i++) {
    const left = bits - 32 * i;
    if (left <= 0) return true;
    const mask = left >= 32 ? -1 : ~(-1 >>> left);
    if (((a[i]! ^ b[i]!) & mask) !== 0) return false;
  }
  return true;
}

function rangeOf(text: string): Range | null {
  const slash = text.indexOf('/');
  const address = addressOf(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  if (slash < 0) return { address, bits: 128 };
  const written = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(written)) return null;
  const bits = Number(written) + (text.includes(':') ? 0 : V4_BITS);
  return bits > 128 ? null : { address, bits };
}

function addressOf(text: string): Address | null {
  if (text.includes(':')) return v6Of(text);
  const v4 = v4Of(text);
  return v4 === null ? null : [0, 0, 0xffff, v4];
}

function v4Of(text: string): number | null {
  let value = 0;
  let parts = 0;
  let at = 0;
  while (at <= text.length) {
    const dot = text.indexOf('.', at);
    const end = dot < 0 ? text.length : dot;
    const part = smallNumber(text, at, end);
    if (part > 255 || ++parts > 4) return null;
    value = (value << 8) | part;
    at = end + 1;
  }
  return parts === 4 ? value : null;
}

/** Of one to three decimal digits; 256 for anything else. */
function smallNumber(text: string, from: number, to: number): number {
  if (to <= from || to - from > 3) return 256;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return 256;
    value = value * 10 + digit;
  }
  return value;
}

function v6Of(text: string): Address | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const left = groupsOf(halves[0]!);
  const right = halves.length === 2 ? groupsOf(halves[1]!) : [];
  if (left === null || right === null) return null;
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...left, ...Array.from({ length: missing }, () => 0), ...right];
  const word = (i: number): number => (groups[i]! << 16) | groups[i + 1]!;
  return [word(0), word(2), word(4), word(6)];
}

function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes('.')) {
      const v4 = v4Of(part);
      if (v4 === null) return null;
      groups.push(v4 >>> 16, v4 & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}
