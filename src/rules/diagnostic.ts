/** An error or warning with its place in a rule file. Lines and columns count from 1. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Fixed, kebab-case, documented in `docs/pattern-language.md`. */
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Length of the marked text; at least 1. */
  readonly length: number;
  /** The text of the line. */
  readonly excerpt: string;
  /** What to do next: the nearest name, what was expected. */
  readonly hint?: string;
}
