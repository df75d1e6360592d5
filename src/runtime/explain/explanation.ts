import type { AwaitedStep, ToldRun, ToldWindow } from '../../rules/explain/story.js';
import type { Alert, AlertEvent } from '../ports/alert.js';

/** An event as explanations speak of it. */
export interface ExplainedEvent extends Omit<AlertEvent, 'fields'> {
  /** Of which stream it is, where there are several. */
  readonly stream?: string;
}

/** A moment of what happened, for people. */
export interface TimelineEntry {
  /** Event time in ms. */
  readonly time: number;
  readonly text: string;
  /** Absent: time alone did it. */
  readonly event?: ExplainedEvent;
}

/** A partial match, with what happened to it in order of time. */
export interface ExplainedRun extends ToldRun<ExplainedEvent> {
  /** One sentence. */
  readonly said: string;
  readonly timeline: readonly TimelineEntry[];
}

/** Why a rule fired for a key at a time, or why it did not. JSON; times are ms of event time. */
export interface Explanation {
  readonly pattern: string;
  readonly title: string;
  /** Hash of the rule that was in force. */
  readonly revision: string;
  readonly status: string;
  readonly key: string;
  readonly keyField: string;
  /** What was asked about. */
  readonly at: number;
  /** What was looked at: partial matches that were there at some time from `from` (`null`: from the beginning) to `at`. */
  readonly from: number | null;
  readonly fired: boolean;
  /** The answer in some sentences. */
  readonly summary: string;
  /** Alerts that were complete from `from` to `at`, or whose events lie around `at`. */
  readonly alerts: readonly Alert[];
  /** Events of the key that were looked at. */
  readonly events: number;
  /** Partial matches in all, of which those in `runs` came farthest. */
  readonly runsSeen: number;
  readonly runs: readonly ExplainedRun[];
  /** Steps with which a match can begin, and the events at which none did. */
  readonly begins: readonly AwaitedStep<ExplainedEvent>[];
  /** Of a rule with a window: those that ended, the nearest to an alert first. */
  readonly windows: readonly ToldWindow[];
  /** What else there is to know: other revisions meanwhile, a canary, records that are gone. */
  readonly notes: readonly string[];
}
