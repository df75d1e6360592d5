import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { LaneLoad } from '../../runtime/detector.js';

/** How often the longest hold-up is forgotten. */
const DELAY_WINDOW_MS = 15_000;
const RESOLUTION_MS = 10;

/** Measures what this thread does of itself: work, garbage collection, and how long its event loop was held up. */
export class LoadMeter {
  private gcSeconds = 0;
  private gcPauses = 0;
  private readonly delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private windowBegan = performance.now();
  /** Of the window before: a look at the beginning of a window must not find nothing. */
  private longestBefore = 0;
  private readonly observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      this.gcPauses++;
      this.gcSeconds += duration / 1000;
    }
  });

  constructor() {
    this.observer.observe({ entryTypes: ['gc'] });
    this.delay.enable();
  }

  read(): Omit<LaneLoad, 'lane' | 'restarts'> {
    const { gcSeconds, gcPauses } = this;
    const { used_heap_size, external_memory } = getHeapStatistics();
    const longest = this.longestNow();
    const loopDelaySeconds = Math.max(longest, this.longestBefore);
    if (performance.now() - this.windowBegan >= DELAY_WINDOW_MS) {
      this.windowBegan = performance.now();
      this.longestBefore = longest;
      this.delay.reset();
    }
    return {
      busySeconds: performance.eventLoopUtilization().active / 1000,
      ...{ gcSeconds, gcPauses, loopDelaySeconds },
      heapBytes: used_heap_size + external_memory,
    };
  }

  close(): void {
    this.observer.disconnect();
    this.delay.disable();
  }

  /** The meter's own timer is part of what it measures. */
  private longestNow(): number {
    return Math.max(0, this.delay.max / 1e6 - RESOLUTION_MS) / 1000;
  }
}
