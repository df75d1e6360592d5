import type { AlertSinkFollower } from '../../../src/runtime/sinks/alert-sink-follower.js';
import { ManualClock } from '../../../src/runtime/testing/manual-clock.js';
import { Metrics } from '../../../src/service/metrics/metrics.js';
import { anAlert } from '../../../src/service/testing/an-alert.js';
import { FakeDetector } from '../../../src/service/testing/fake-detector.js';

/** What `/metrics` says of a service that has everything: lanes, partitions, checkpoints, sinks, rules. */
export async function metricsText(): Promise<string> {
  const detector = new FakeDetector();
  const memory = { hotKeys: 1, coldKeys: 2, coldBytes: 3, tableBytes: 4 };
  detector.set({
    phase: 'running',
    matches: new Map([['drain', 1]]),
    steps: new Map([['drain', 7]]),
    runs: new Map([['drain', 5]]),
    lanes: [{ lane: 0, restarts: 1, busySeconds: 2, gcSeconds: 3, gcPauses: 4, loopDelaySeconds: 0.5, heapBytes: 6 }],
    partitions: [
      {
        ...{ topic: 'transactions', partition: 0, phase: 'live', position: 5, endOffset: 9, idle: false },
        ...{ watermark: 1, recordTime: 1, maxEventTime: 2, keys: 3, runs: 4, buffered: 5, memory },
      },
    ],
  });
  const last = { number: 1, kind: 'base', position: 5, timeMs: 0, durationMs: 20, bytes: 300 } as const;
  const sink = { name: 'redis', lag: new Map([['alerts-0', 3]]), written: 4, failures: 1 };
  const metrics = new Metrics({
    clock: new ManualClock(10_000),
    detectorStatus: () => detector.status(),
    handlerStatus: () => ({ waiting: 0, handled: 1, failed: 2, dropped: 3 }),
    sinks: [{ status: () => sink } as unknown as AlertSinkFollower],
    tables: () => [{ stream: 'closures', state: 'feeding', rows: 1, doneAt: null, trouble: null }],
    liveStreams: () => 1,
    checkpoints: () => [
      {
        ...{ topic: 'transactions', partition: 0, last, written: 2, bytesWritten: 600, failed: 1, failedInRow: 0 },
        ...{ lastFailure: null, degraded: false, changedBytes: 10 },
      },
    ],
    rules: () => ({ revision: 1, pending: [], intact: true, counts: { live: 3 } }) as never,
  });
  const listener = metrics.listener();
  listener.onBatch?.(10, 0.002);
  listener.onCommit?.(0.01, true);
  listener.onAlert?.(anAlert(), null);
  metrics.decisions.observe('answered', 0.004);
  metrics.decisions.observe('refused', 0.001);
  try {
    return await metrics.registry.metrics();
  } finally {
    metrics.close();
  }
}

/** Names of all samples in a text of `/metrics`. */
export function sampleNames(text: string): ReadonlySet<string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(lines.map((line) => /^[a-zA-Z0-9_:]+/.exec(line)![0]));
}

/** Names of the metrics that a query asks: all words that begin as ours, those of Node.js and those of the process do. */
export const metricsIn = (query: string): readonly string[] =>
  query.match(/\b(stakeout|nodejs|process)_[a-z0-9_]+/g) ?? [];
