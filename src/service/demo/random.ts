/**
 * Seeded pseudo-randomness (mulberry32) for the demo: the same seed gives the same numbers on every machine. Not for
 * secrets.
 */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 32 random bits as a whole number from 0. */
  bits(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** From 0 up to, not including, 1. */
  unit(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.int(0, choices.length - 1)] ?? choices[0];
  }

  /** An amount of money between two bounds, in whole cents. */
  amount(low: number, high: number): number {
    return cents(low + this.unit() * (high - low));
  }

  /** A log-normal amount in whole cents: `median`, spread `sigma` of its logarithm, cut off at `low` and `high`. */
  spend(median: number, sigma: number, low: number, high: number): number {
    return cents(Math.min(high, Math.max(low, median * Math.exp(sigma * this.normal()))));
  }

  /** Lower-case hexadecimal digits; never all zero. */
  hex(digits: number): string {
    let text = '';
    while (text.length < digits) {
      text += this.bits().toString(16).padStart(8, '0');
    }
    const cut = text.slice(0, digits);
    return /[^0]/.test(cut) ? cut : `${cut.slice(1)}1`;
  }

  /** Standard normal, by Box and Muller. */
  private normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }
}

/** One seed out of several whole numbers, so that neighbouring inputs give unrelated streams. */
export function mixSeed(...parts: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    for (const word of [part >>> 0, Math.floor(part / 0x1_0000_0000) >>> 0]) {
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      hash ^= hash >>> 16;
    }
  }
  return hash >>> 0;
}

function cents(value: number): number {
  return Math.round(value * 100) / 100;
}
