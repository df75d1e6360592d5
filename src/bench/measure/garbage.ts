import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A pause of the garbage collector. */
export interface Pause {
  /** In ms since the process began. */
  readonly at: number;
  readonly ms: number;
  /** Of the whole heap, not of the young generation alone. */
  readonly major: boolean;
}

/** Pauses of the collector over some passes, in ms. */
export interface PauseFigures {
  readonly count: number;
  readonly major: number;
  readonly totalMs: number;
  readonly longestMs: number;
  readonly p999Ms: number;
}

/** An entry of the type `gc`. */
interface GcEntry extends PerformanceEntry {
  readonly detail: { readonly kind: number };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects all garbage now. */
export const collectGarbage = (): void => collect();

/** Bytes that live objects hold, after a full collection. */
export function heldBytes(): number {
  collect();
  // What finalizers let go is garbage of the second time.
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Collects the pauses of this process. Node reports them late: `settle` before `between`. */
export class PauseObserver {
  private readonly pauses: Pause[] = [];
  private readonly observer = new PerformanceObserver((list) => this.keep(list.getEntries()));

  constructor() {
    this.observer.observe({ entryTypes: ['gc'] });
  }

  /** Resolves when all pauses so far have been reported. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.keep(this.observer.takeRecords());
  }

  /** Pauses that began between two times of `performance.now()`. */
  between(from: number, to: number): readonly Pause[] {
    return this.pauses.filter(({ at }) => at >= from && at < to);
  }

  stop(): void {
    this.observer.disconnect();
  }

  private keep(entries: readonly PerformanceEntry[]): void {
    for (const entry of entries) {
      const { startTime, duration, detail } = entry as GcEntry;
      this.pauses.push({ at: startTime, ms: duration, major: detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR });
    }
  }
}

export function pauseFigures(pauses: readonly Pause[]): PauseFigures {
  const ms = pauses.map((pause) => pause.ms).sort((a, b) => a - b);
  return {
    count: ms.length,
    major: pauses.filter(({ major }) => major).length,
    totalMs: ms.reduce((sum, each) => sum + each, 0),
    longestMs: ms.at(-1) ?? 0,
    p999Ms: percentile(ms, 0.999),
  };
}

/** The value that a share of all is at or below; 0 when there are none. `sorted`: ascending. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
