import type { RuleText } from '../../rules/index.js';

/** Which rules a back-test runs. */
export interface RuleChoice {
  readonly files: readonly RuleText[];
  /** Of the rules in them: these alone, whatever their status. Absent: those that are live or shadow. */
  readonly ids?: readonly string[];
}

/** What was asked for, complete: it can be run again without asking anybody. */
export interface BacktestRequest {
  readonly rules: RuleChoice;
  readonly baseline?: RuleChoice;
  readonly topic?: string;
  readonly profile?: string;
  readonly from?: string;
  readonly to?: string;
  readonly warmup?: string;
  /** Rows in place of the file that the settings name. */
  readonly labels?: readonly Readonly<Record<string, unknown>>[];
  readonly sweep?: readonly string[];
}

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface JobProgress {
  /** Of the events' bytes or offsets, 0 to 1. */
  readonly fraction: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  /** `null`: not known yet. */
  readonly secondsLeft: number | null;
}

/** The figures of a result that a list shows. */
export interface JobSummary {
  readonly events: number;
  readonly alerts: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly digest: string;
  /** Whether the service has committed the same alerts; `null`: there is nothing to compare with. */
  readonly parity: boolean | null;
}

export interface BacktestJob {
  readonly id: string;
  readonly state: JobState;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** How often it was taken up: again after each restart of the service that cut it short. */
  readonly attempts: number;
  /** Events after which the last attempt went on from what an earlier one had kept; `null`: it began at the beginning. */
  readonly resumedAfter: number | null;
  readonly title: string | null;
  readonly progress: JobProgress | null;
  readonly summary: JobSummary | null;
  readonly error: string | null;
}

/** Hears of a back-test under way. */
export interface BacktestListener {
  onProgress(fraction: number, events: number): void;
  /** It went on after so many events, from what an earlier attempt had kept. */
  onResumed(events: number): void;
  /** It has kept what it has come to: the next attempt will go on from there. */
  onSaved(): void;
}

/** Runs back-tests in a process of their own. */
export interface BacktestRunner {
  /**
   * Writes `result.json` and `report.html` into the folder. `ended` rejects with a message for people when there is no result.
   *
   * @param folder for the job alone; what an earlier attempt has kept there is gone on with.
   */
  start(request: BacktestRequest, folder: string, listener: BacktestListener): RunningBacktest;
}

export interface RunningBacktest {
  readonly ended: Promise<JobSummary>;
  /** Ends it without a result; `ended` rejects. */
  stop(): void;
}
