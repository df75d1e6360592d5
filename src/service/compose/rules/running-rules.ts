import {
  type Diagnostic,
  type KnownLists,
  type KnownStreams,
  loadRules,
  ParsedRules,
  type Rule,
  type RuleText,
  withTestsBeside,
} from '../../../rules/index.js';

export class NoRulesError extends Error {
  readonly code = 'NO_RULES';
  constructor(
    message: string,
    readonly diagnostics: readonly Diagnostic[],
  ) {
    super(message);
  }
}

/** A rule as it was written. */
export type RuleSource = RuleText;

export interface RunningRules {
  /** All rules without errors, drafts too, and what each was read from. */
  readonly all: readonly Rule[];
  readonly files: readonly RuleSource[];
  /** Live and shadow rules of them. */
  readonly rules: readonly Rule[];
  /** What each of them was made from, in the same order: a lane in another thread compiles it again. */
  readonly sources: readonly RuleSource[];
  /** What is wrong with the others, and warnings. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The rules that run. One with errors is left out and told of; the others run. Throws `NoRulesError` when none is left: a
 * service that detects nothing must not look as if it did.
 */
export async function loadRunningRules(
  folder: string,
  streams: KnownStreams,
  lists: KnownLists,
  known = new ParsedRules(),
): Promise<RunningRules> {
  const { rules, texts, diagnostics } = await loadRules([folder], { lists, streams, known });
  const running = rules.filter((rule) => rule.status === 'live' || rule.status === 'shadow');
  if (running.length === 0) throw new NoRulesError(`There is no rule to run in ${folder}.`, diagnostics);
  const textOf = ({ source }: Rule): RuleSource => ({ file: source, text: texts.get(source)! });
  const files = await withTestsBeside(rules.map(textOf));
  return { all: rules, files, rules: running, sources: running.map(textOf), diagnostics };
}
