/** Where in the pattern data a problem is, for example `['steps', 1, 'greedy']`. */
export type PatternPath = readonly (string | number)[];

export interface PatternProblem {
  /** Fixed, kebab-case; what each one means is in `docs/pattern-language.md`. */
  readonly code: string;
  readonly message: string;
  readonly path: PatternPath;
}

/** Hears of a problem; `path`: in the pattern data, or in the part of it that is looked at. */
export type Report = (code: string, message: string, ...path: (string | number)[]) => void;
