import { COUNTRIES, TYPES } from '../stream/generate.js';

/** One of W6's patterns: more than `threshold`, next a `type`, followed by `country`. */
export interface Variant {
  readonly number: number;
  readonly threshold: number;
  readonly type: string;
  readonly country: string;
}

/** The first `count` variants. Thresholds differ until 30,000; a type and a country come again after 80. */
export function variants(count: number): readonly Variant[] {
  return Array.from({ length: count }, (_, number) => ({
    number,
    threshold: 10_000 + ((37 * number) % 30_000),
    type: TYPES[(number + 1) % TYPES.length]!,
    country: COUNTRIES[Math.floor(number / TYPES.length) % COUNTRIES.length]!,
  }));
}
