import type { AlertEvent, AlertStep } from './alert.js';

/** A partial match that ended one step short of an alert, as it stands on its topic (JSON): a pure function of the records and the rule. */
export interface NearMissRecord {
  /** Deterministic: 32 hex digits of SHA-256 over pattern, key, and the ids of the events by step. */
  readonly id: string;
  readonly patternId: string;
  readonly title: string;
  /** Hash of the rule. */
  readonly revision: string;
  readonly key: string;
  readonly keyField: string;
  /** `within`, `gap`: time ran out before one of `missing` came. `negation`: an event of `missing` came, which must not. */
  readonly reason: 'within' | 'gap' | 'negation';
  readonly missing: readonly string[];
  /** Event time of its first and last event, and at which it ended; milliseconds since 1970. */
  readonly firstEventTime: number;
  readonly lastEventTime: number;
  readonly endedAt: number;
  /** A sentence for people. */
  readonly message: string;
  readonly steps: readonly AlertStep[];
  /** The event that must not have come. Absent: time ran out. */
  readonly endedBy?: AlertEvent;
}
