import type { DetectionState } from '../../runtime/task/detection.js';
import type { StoppedRule } from '../../runtime/task/keyed/quarantine.js';
import type { ReaderState } from './file-reader.js';
import type { TotalsState } from './run-totals.js';

/** What a run over files is between two batches, but for its events and keys, which come in pieces. */
export interface RunState {
  /** Detections of this run that are over: one follows the other. */
  readonly over: number;
  readonly totals: TotalsState;
  readonly detection: DetectionState;
  readonly readers: readonly ReaderState[];
  /** Of each engine the rules that were stopped. */
  readonly stopped: readonly { readonly keyField: string; readonly stopped: readonly StoppedRule[] }[];
}

/** A run that was cut short. */
export interface RunSnapshot {
  readonly state: RunState;
  readonly pieces: readonly Uint8Array[];
}

/** What a run asks between batches. */
export interface RunCheckpoints {
  /** Where it goes on; `null`: at the beginning. */
  readonly from: RunSnapshot | null;
  isDue(): boolean;
  save(state: RunState, pieces: Iterable<Uint8Array>): Promise<void>;
}
