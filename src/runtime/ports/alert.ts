import type { Severity } from '../../rules/rule.js';

/** What a condition read, by how it is written there; `null`: missing. */
export type EventValues = Readonly<Record<string, string | number | boolean | null>>;

/** An alert as everyone downstream sees it: a pure function of the records and the rule, byte for byte. */
export interface AlertEvent {
  /** The stream's own id of the transaction. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly eventTime: number;
  readonly kind: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** All fields of the record, JSON-ready. */
  readonly fields: Readonly<Record<string, unknown>>;
  /**
   * What the condition of its step read at this event: fields, features, what events before had, what reference lists had. Absent: it
   * has none that reads anything.
   */
  readonly values?: EventValues;
}

export interface AlertStep {
  readonly step: string;
  readonly events: readonly AlertEvent[];
}

export interface Alert {
  /** Deterministic: 32 hex digits of SHA-256 over pattern, key, and the ids of the matched events by step. */
  readonly id: string;
  readonly patternId: string;
  readonly title: string;
  /** Hash of the rule that found it. */
  readonly revision: string;
  readonly severity: Severity;
  /** 0 to 100. */
  readonly score: number;
  /** The key's value (account id …) and the name of the field it came from. */
  readonly key: string;
  readonly keyField: string;
  /** Event time of the first and last matched event, and at which the match was complete; milliseconds since 1970. */
  readonly firstEventTime: number;
  readonly lastEventTime: number;
  readonly detectedAt: number;
  /** A sentence for people. */
  readonly message: string;
  /** What the features that the rule reads were when the match was complete; `null`: missing. Absent: it reads none. */
  readonly features?: Readonly<Record<string, string | number | boolean | null>>;
  /** Steps in the pattern's order; a step without events is left out. */
  readonly steps: readonly AlertStep[];
}
