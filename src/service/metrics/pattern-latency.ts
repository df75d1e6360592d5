/** Of so many alerts of each pattern, the newest, it is known how long they took. */
const KEPT = 1_000;
/** Patterns that are known at a time: those whose alerts came last. */
const PATTERNS_MAX = 10_000;

interface Ring {
  readonly ms: Float64Array;
  count: number;
}

/** How long alerts of each pattern took: from the event time at which a match is complete until its alert is committed, in ms. */
export class PatternLatency {
  private readonly rings = new Map<string, Ring>();

  observe(pattern: string, ms: number): void {
    const ring = this.rings.get(pattern) ?? { ms: new Float64Array(KEPT), count: 0 };
    ring.ms[ring.count++ % KEPT] = ms;
    this.rings.delete(pattern);
    this.rings.set(pattern, ring);
    if (this.rings.size > PATTERNS_MAX) this.rings.delete(this.rings.keys().next().value!);
  }

  get patterns(): Iterable<string> {
    return this.rings.keys();
  }

  /** That 99 in 100 of the newest alerts did not exceed; `null`: there was none since the start. */
  p99(pattern: string): number | null {
    const ring = this.rings.get(pattern);
    if (ring === undefined) return null;
    const sorted = ring.ms.slice(0, Math.min(ring.count, KEPT)).sort();
    return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
  }
}
