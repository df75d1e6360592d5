import type { Rule } from '../../rules/rule.js';
import type { Detector, DetectorListener, DetectorStatus } from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import { emptyStatus } from '../lanes/sum-statuses.js';

/** A detector that does as it is told. */
export class FakeDetector implements Detector {
  current: DetectorStatus = emptyStatus('created');
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
