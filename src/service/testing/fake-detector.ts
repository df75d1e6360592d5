import type { Rule } from '../../rules/rule.js';
import type { Detector, DetectorListener, DetectorStatus } from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/delivery.js';

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
    nearMisses: 0,
    matches: new Map(),
    steps: new Map(),
    runsDropped: 0,
    matchesDropped: 0,
    backpressureSeconds: 0,
    outputsWaiting: 0,
    partitions: [],
  };
  startError: Error | null = null;
  stops = 0;
  mode: DeliveryMode = 'exactly-once';
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

  delivery(): DeliveryMode {
    return this.mode;
  }

  setDelivery(mode: DeliveryMode): void {
    this.mode = mode;
  }

  rules(): readonly Rule[] {
    return this.ruleList;
  }
}
