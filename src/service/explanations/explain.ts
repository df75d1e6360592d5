import type { ExplanationDto } from './explanations.dto.js';

/** What is asked. */
export interface ExplanationQuery {
  /** Id of the rule. */
  readonly pattern: string;
  readonly key: string;
  /** Event time in ms. */
  readonly at: number;
}

/** Answers why a rule did not fire; see `LogExplainer`. */
export type Explain = (query: ExplanationQuery) => Promise<ExplanationDto>;

/** No rule of this name runs or ran. */
export class UnknownPatternError extends Error {
  readonly code = 'PATTERN_UNKNOWN';
}
