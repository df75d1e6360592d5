import { type EngineEvent, type RuleSet, stopSlot } from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { RecordPlace } from '../../ports/log.js';

/** Which limit of a rule was exceeded, or that it threw. */
export type StopReason = 'runs' | 'matches' | 'events' | 'error';

/** A rule that was stopped, and why. JSON: cuts hold it. */
export interface StoppedRule {
  readonly id: string;
  readonly revision: string;
  readonly reason: StopReason;
  readonly detail: string;
  /** Of which key the event was, and its event time in ms. */
  readonly key: string;
  readonly time: number;
  /** Where the event's record is; `null`: a window's end did it. */
  readonly event: RecordPlace | null;
}

/** What a rule was looking at. */
export interface Looking {
  readonly key: string;
  readonly time: number;
  readonly event: EngineEvent | null;
}

export interface QuarantineOutput {
  onQuarantined?(stopped: StoppedRule): void;
  placeOf?(event: EngineEvent): RecordPlace | null;
}

/**
 * The rules of an engine that were stopped because they exceeded a limit, or threw.
 *
 * It follows from the records and the state alone whether and where a rule is stopped, and a cut holds it: so a replay stops it at the same
 * event, and needs no entry of the journal. It stays so for as long as this revision of the rule is there.
 */
export class Quarantine {
  private readonly list: StoppedRule[] = [];

  constructor(
    private readonly rules: readonly Rule[],
    private readonly ruleSet: RuleSet,
    private readonly output: QuarantineOutput,
  ) {}

  get stopped(): readonly StoppedRule[] {
    return this.list;
  }

  has(slot: number): boolean {
    return this.ruleSet.stopped.slots[slot] === 1;
  }

  /** A limit was exceeded; the policy of the rule says whether it is stopped. */
  exceeded(slot: number, reason: StopReason, detail: string, at: Looking): void {
    if (this.ruleSet.slots[slot]!.limits.overflow === 'quarantine') this.stop(slot, reason, detail, at);
  }

  stop(slot: number, reason: StopReason, detail: string, { key, time, event }: Looking): void {
    if (this.has(slot)) return;
    stopSlot(this.ruleSet, slot);
    const { id, revision } = this.rules[slot]!;
    const place = event === null ? null : (this.output.placeOf?.(event) ?? null);
    const stopped = { ...{ id, revision, reason, detail, key, time }, event: place };
    this.list.push(stopped);
    this.output.onQuarantined?.(stopped);
  }

  /** Goes on as it was: of rules that are still there in the same revision. */
  resume(stopped: readonly StoppedRule[]): void {
    for (const one of stopped) {
      const slot = this.rules.findIndex(({ id, revision }) => id === one.id && revision === one.revision);
      if (slot < 0 || this.has(slot)) continue;
      stopSlot(this.ruleSet, slot);
      this.list.push(one);
    }
  }
}
