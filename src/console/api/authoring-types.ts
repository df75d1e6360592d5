/** What the service says of rules while one writes them. */

export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type RuleStatus = 'draft' | 'shadow' | 'live' | 'retired';

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly hint?: string;
}

export interface StepOutline {
  readonly name: string;
  /** As conditions are written; null: any event. */
  readonly where: string | null;
  readonly subtype: string | null;
  readonly contiguity: string;
  readonly times: string | null;
  /** Fields of the event that its condition reads. */
  readonly fields: readonly string[];
}

export interface AutomatonState {
  readonly name: string;
  readonly step: string;
  readonly type: 'normal' | 'final' | 'stop' | 'pending';
  readonly gapMs: number;
}

export interface AutomatonTransition {
  readonly from: number;
  readonly to: number;
  readonly action: 'take' | 'ignore' | 'proceed';
  readonly when: string;
}

export interface Automaton {
  readonly start: number;
  readonly windowMs: number;
  readonly states: readonly AutomatonState[];
  readonly transitions: readonly AutomatonTransition[];
}

/** A rule's text, looked at. */
export interface Outline {
  readonly rule: {
    readonly id: string;
    readonly title: string;
    readonly status: RuleStatus;
    readonly key: string;
    readonly revision: string;
    readonly severity: Severity;
    readonly steps: readonly StepOutline[];
  } | null;
  /** Null: it has errors. */
  readonly automaton: Automaton | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Vocabulary {
  readonly streams: readonly {
    readonly name: string;
    /** Null: nothing is known of its events. */
    readonly fields:
      | readonly {
          readonly name: string;
          readonly type: string;
          readonly optional: boolean;
          readonly doc: string | null;
        }[]
      | null;
    readonly kinds: readonly string[] | null;
  }[];
  readonly lists: readonly { readonly name: string; readonly kind: string }[];
  readonly functions: readonly string[];
}
