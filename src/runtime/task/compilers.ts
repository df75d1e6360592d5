import { compileRuleSet, PatternCompiler } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { KeyedEngineOptions } from './keyed-options.js';

type OptionsOfRules = Pick<KeyedEngineOptions, 'kindParents' | 'lists' | 'quantifierGap'>;

interface Kept {
  readonly options: string;
  readonly lists: OptionsOfRules['lists'];
  readonly compiler: PatternCompiler;
}

/** Patterns of rules that are gone, above which a compiler is given up, besides as many as there are rules. */
const SPARE = 1000;

/**
 * Compilers that outlive rule sets, shared by the partitions of a thread: what has been compiled once, for whatever partition and rule
 * set, is not compiled again. Nobody may process events between two parts of one call to an engine that shares one.
 */
export class Compilers {
  private kept: readonly Kept[] = [];

  of({ kindParents, lists, quantifierGap }: OptionsOfRules): PatternCompiler {
    const options = JSON.stringify([[...(kindParents ?? [])], quantifierGap]);
    const known = this.kept.find((one) => one.options === options && one.lists === lists);
    if (known !== undefined) return known.compiler;
    const compiler = new PatternCompiler({
      ...(kindParents === undefined ? {} : { kindParents }),
      ...(lists === undefined ? {} : { lists }),
      ...(quantifierGap === undefined ? {} : { quantifierGap }),
    });
    // Other lists come with other contents of them: those of before are over.
    this.kept = [
      ...this.kept.filter((one) => one.options !== options || lists === undefined),
      { options, lists, compiler },
    ];
    return compiler;
  }

  /** Compiles rules before they come into force, rule by rule, with `turn` after each that took work. */
  async prepare(rules: readonly Rule[], options: OptionsOfRules, turn: () => Promise<void>): Promise<void> {
    if (this.of(options).compiled > 2 * rules.length + SPARE) this.forget(this.of(options));
    const compiler = this.of(options);
    for (const rule of rules) {
      const before = compiler.compiled;
      compileRuleSet([rule], { ...options, compiler });
      if (compiler.compiled > before) await turn();
    }
  }

  private forget(compiler: PatternCompiler): void {
    this.kept = this.kept.filter((one) => one.compiler !== compiler);
  }
}
