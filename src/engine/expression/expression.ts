import type { EngineEvent } from '../event.js';
import type { FeatureFn } from './feature.js';

/**
 * Conditions as checked trees. Whoever builds a tree (the rule compiler, the fluent builder, a test) has resolved all
 * names and types; the engine turns the tree into one function and never sees text.
 *
 * Numbers are IEEE doubles. A value may be *missing* (an absent or null field, `first` of a step without events):
 * arithmetic on a missing value is missing, and every comparison with one is false, `!=` included.
 */
export type Scalar = number | string | boolean;

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** Statistics over the events that a run has matched for a step so far; the event under test is not among them. */
export type AggregateFn = 'count' | 'sum' | 'avg' | 'min' | 'max' | 'first' | 'last' | 'distinct' | 'stddev';

export type Expr =
  | { readonly op: 'const'; readonly value: Scalar }
  /** A field of the event under test. `time`, `kind` and `stream` of the event itself are `meta`. */
  | { readonly op: 'field'; readonly name: string }
  /** `key`: the key that the event is counted for, which the host tells (`KeyCell`). */
  | { readonly op: 'meta'; readonly name: 'time' | 'kind' | 'stream' | 'key' }
  /** `field` is absent for `count` alone. `first(step).time` has the meta name `$time`, `$kind` likewise. */
  | { readonly op: 'aggregate'; readonly fn: AggregateFn; readonly step: string; readonly field?: string }
  /** The field of the n-th event (from 0) of a step. */
  | { readonly op: 'nth'; readonly step: string; readonly index: number; readonly field: string }
  /** The value of a feature of the key at the event under test; missing where there is none (no event for `avg`, `min`, `max`). */
  | { readonly op: 'feature'; readonly feature: Feature }
  | { readonly op: 'compare'; readonly cmp: CompareOp; readonly left: Expr; readonly right: Expr }
  | { readonly op: 'in'; readonly left: Expr; readonly values: readonly Scalar[] }
  /** Whether a reference list holds the value; false where the value is missing. */
  | { readonly op: 'inList'; readonly list: string; readonly value: Expr }
  /** What a reference list of the map kind has for the key. As a number, text that is none is missing. */
  | { readonly op: 'lookup'; readonly list: string; readonly key: Expr; readonly as: 'string' | 'number' }
  | { readonly op: 'and' | 'or'; readonly args: readonly Expr[] }
  | { readonly op: 'not'; readonly arg: Expr }
  | { readonly op: 'arith'; readonly fn: '+' | '-' | '*' | '/' | '%'; readonly left: Expr; readonly right: Expr }
  /** Whether a value is there (CEL's `has`). */
  | { readonly op: 'present'; readonly arg: Expr }
  | { readonly op: 'if'; readonly test: Expr; readonly whenTrue: Expr; readonly whenFalse: Expr }
  /** A pure function that the engine knows by name; see `functions.ts`. */
  | { readonly op: 'call'; readonly fn: string; readonly args: readonly Expr[] };

/**
 * A statistic over a sliding window of the key's own events, exact at every event: over those whose time is at most `overMs`
 * before the event under test, itself included. It is part of the key's state, not of a run.
 */
export interface Feature {
  readonly fn: FeatureFn;
  /** Absent for `count` and `since` alone. Events without it are left out. */
  readonly field?: string;
  /** For `quantile` alone: 0 to 1. */
  readonly q?: number;
  /** Length of the window, in ms; an event exactly so old still counts. */
  readonly overMs: number;
  /**
   * How long before the event under test the window ends, in ms, above 0: it is that of events at `time - lagMs - overMs` to
   * `time - lagMs`, and the event under test is not in it. Absent: the window ends with the event under test.
   */
  readonly lagMs?: number;
  /** Which events count; absent: all. Must look at the event alone. */
  readonly where?: Expr;
  /**
   * Names the key whose events it is over, where that is not the key of the pattern: what it is, each event says
   * (`EngineEvent.told`), and nothing is kept for it here. Absent: it is over the events of the pattern's key.
   */
  readonly of?: string;
}

/** What a condition written as a function sees of the partial match. */
export interface RunView {
  /** Events that this partial match has for a step so far, oldest first. */
  events(step: string): readonly EngineEvent[];
}

/** For embedding: a condition as a function. It must be pure, and it cannot be stored, compared or indexed. */
export interface FunctionCondition {
  readonly op: 'function';
  readonly test: (event: EngineEvent, run: RunView) => boolean;
}

export type Condition = Expr | FunctionCondition;
