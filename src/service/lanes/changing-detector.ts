import type { RuleText } from '../../rules/index.js';
import type { Rule } from '../../rules/rule.js';
import type {
  Consideration,
  Detector,
  DetectorListener,
  DetectorStatus,
  Elsewhere,
  Question,
} from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { TopicPartition } from '../../runtime/ports/log.js';
import type { Settings } from '../../runtime/settings/index.js';
import { countersOnly, emptyStatus, sumStatuses } from './sum-statuses.js';

export type MakeDetector = (settings: Settings, listener: DetectorListener) => Detector;

const CHANGING = 'streams are changed: detection goes on in a moment';

/**
 * A detector that gives way to another when its streams change.
 *
 * 1. The one before commits all that it has processed, stores its state and gives up its partitions; then the next takes them from there.
 *    So nothing is lost and nothing is found twice, and what a crash in between leaves is what a restart finds.
 * 2. Other changes wait meanwhile: the next detector is made with all that came before.
 * 3. Counters go on. While it changes, it counts as degraded, not as stopped.
 */
export class ChangingDetector implements Detector {
  private inner: Detector;
  private before: DetectorStatus = emptyStatus('created');
  private changing: Promise<void> | null = null;
  private isStopping = false;
  private hasStarted = false;
  private readonly heard: DetectorListener;

  constructor(
    private settings: Settings,
    private readonly make: MakeDetector,
    listener: DetectorListener,
  ) {
    this.heard = {
      ...bound(listener),
      onPhase: (phase, trouble) => {
        if (this.changing === null || this.isStopping || phase === 'running') listener.onPhase?.(phase, trouble);
        else listener.onPhase?.('degraded', CHANGING);
      },
    };
    this.inner = make(settings, this.heard);
  }

  async start(): Promise<void> {
    await this.inner.start();
    this.hasStarted = true;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.changing?.catch(() => undefined);
    await this.inner.stop();
  }

  status(): DetectorStatus {
    const status = sumStatuses(this.before, this.inner.status());
    if (this.changing === null || this.isStopping || status.phase === 'running') return status;
    return { ...status, phase: 'degraded', trouble: CHANGING };
  }

  /** Goes over to these settings. Rejects when they do not hold; those of before are in force then. */
  changeSettings(settings: Settings): Promise<void> {
    const changed = (this.changing ?? Promise.resolve()).then(() => this.change(settings));
    const settled = changed
      .catch(() => undefined)
      .then(() => {
        if (this.changing === settled) this.changing = null;
      });
    this.changing = settled;
    return changed;
  }

  private async change(settings: Settings): Promise<void> {
    if (this.isStopping) return;
    const was = this.settings;
    // What cannot be made is no reason to stop.
    const next = this.make(settings, this.heard);
    if (this.hasStarted) await this.inner.stop();
    this.before = countersOnly(sumStatuses(this.before, this.inner.status()));
    this.inner = next;
    this.settings = settings;
    if (!this.hasStarted || this.isStopping) return;
    try {
      await next.start();
    } catch (error) {
      if (this.isStopping) throw error;
      await next.stop().catch(() => undefined);
      this.inner = this.make(was, this.heard);
      this.settings = was;
      await this.inner.start();
      throw error;
    }
  }

  rules(): readonly Rule[] {
    return this.inner.rules();
  }

  async changeRules(sources: readonly RuleText[], rules: readonly Rule[]): Promise<void> {
    await this.changing;
    await this.inner.changeRules?.(sources, rules);
  }

  async changeLists(lists: ReferenceLists['data']): Promise<void> {
    await this.changing;
    await this.inner.changeLists?.(lists);
  }

  async pauseStreams(names: readonly string[]): Promise<void> {
    await this.changing;
    await this.inner.pauseStreams?.(names);
  }

  async storeNow(): Promise<void> {
    await this.changing;
    await this.inner.storeNow?.();
  }

  async consider(question: Question): Promise<Consideration | Elsewhere> {
    await this.changing;
    return (await this.inner.consider?.(question)) ?? { elsewhere: null };
  }

  restart(partition: TopicPartition, why: Error): void {
    this.inner.restart?.(partition, why);
  }

  delivery(): DeliveryMode {
    return this.inner.delivery();
  }

  setDelivery(mode: DeliveryMode): void {
    this.inner.setDelivery(mode);
  }
}

/** The methods of a listener that may be an object of a class. */
function bound(listener: DetectorListener): DetectorListener {
  return {
    onAlert: (...args) => listener.onAlert?.(...args),
    onPartitions: (...args) => listener.onPartitions?.(...args),
    onDeadLetter: (...args) => listener.onDeadLetter?.(...args),
    onQuarantined: (...args) => listener.onQuarantined?.(...args),
    onBatch: (...args) => listener.onBatch?.(...args),
    onCommit: (...args) => listener.onCommit?.(...args),
  };
}
