import type { EngineEvent, Lists } from '../../engine/index.js';
import type { EventSchema } from '../schema.js';

/** What the tests of a rule need to know of its stream. Field names as in the stream's settings. */
export interface TestStream {
  /** Absent: the only stream there is. */
  readonly name?: string;
  readonly schema: EventSchema | null;
  /** Filled in from a row's `id` and `at`, where the schema has the field. */
  readonly idField?: string;
  readonly timeField?: string;
  /** What `subtype` tests. Absent: a row says its `kind` itself. */
  readonly typeField?: string;
}

export interface TestEvent {
  readonly id: string;
  /** Values of the rule's key that it counts for. */
  readonly keys: readonly string[];
  readonly event: EngineEvent;
}

export interface ExpectedAlert {
  /** Ids of the matched events by step. Of a window: absent from it, any will do. */
  readonly steps: ReadonlyMap<string, readonly string[]>;
  /** Of a rule with a window. */
  readonly window?: ExpectedWindow;
  /** Absent: any message will do. */
  readonly message?: string;
}

/** What a window tells; times in ms. */
export interface ExpectedWindow {
  readonly end: number;
  /** Absent: any. */
  readonly start?: number;
  /** Aggregates by name; those that are absent may be anything. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** One test of a rule: events in, alerts out. */
export interface RuleTest {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** In order of time. */
  readonly events: readonly TestEvent[];
  readonly alerts: readonly ExpectedAlert[];
  /** What the rule's reference lists hold in this test. */
  readonly lists: Lists;
}
