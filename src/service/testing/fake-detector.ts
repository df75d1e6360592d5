import type { Rule } from '../../rules/rule.js';
import type { Detector, DetectorListener, DetectorStatus } from '../../runtime/detector.js';

/** A detector that does as it is told. */
export class FakeDetector implements Detector {
  current: DetectorStatus = {
    phase: 'created',
    trouble: null,
    recordsIn: 0,
    recordsReplayed: 0,
    late: 0,
    deadLettered: 0,
    alerts: 0,
    matches: new Map(),
    runsDropped: 0,
    matchesDropped: 0,
    partitions: [],
  };
  startError: Error | null = null;
  stops = 0;
  ruleList: readonly Rule[] = [];
  listener: DetectorListener = {};

  set(over: Partial<DetectorStatus>): void {
    this.current = { ...this.current, ...over };
  }

  async start(): Promise<void> {
    if (this.startError) throw this.startError;
    this.set({ phase: 'running' });
    this.listener.onPhase?.('running', null);
  }

  async stop(): Promise<void> {
    this.stops += 1;
    this.set({ phase: 'stopped' });
    this.listener.onPhase?.('stopped', null);
  }

  status(): DetectorStatus {
    return this.current;
  }

  rules(): readonly Rule[] {
    return this.ruleList;
  }
}
