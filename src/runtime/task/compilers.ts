import { compileRuleSet, PatternCompiler } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import { ListsInForce } from '../lists/reference-lists.js';
import type { KeyedEngineOptions } from './keyed/keyed-options.js';

type OptionsOfRules = Pick<KeyedEngineOptions, 'kindParents' | 'quantifierGap'>;

interface Kept {
  readonly options: string;
  readonly compiler: PatternCompiler;
}

/** Patterns of rules that are gone, above which a compiler is given up, besides as many as there are rules. */
const SPARE = 1000;

/**
 * Compilers that outlive rule sets, shared by the partitions of a thread: what has been compiled once, for whatever partition and rule
 * set, is not compiled again. Nobody may process events between two parts of one call to an engine that shares one.
 */
export class Compilers {
  /** What conditions ask: before it processes events, a partition has it become the lists that are in force there. */
  readonly lists = new ListsInForce();
  private kept: readonly Kept[] = [];

  of({ kindParents, quantifierGap }: OptionsOfRules): PatternCompiler {
    const options = JSON.stringify([[...(kindParents ?? [])], quantifierGap]);
    const known = this.kept.find((one) => one.options === options);
    if (known !== undefined) return known.compiler;
    const compiler = new PatternCompiler({
      ...(kindParents === undefined ? {} : { kindParents }),
      ...(quantifierGap === undefined ? {} : { quantifierGap }),
      lists: this.lists,
    });
    this.kept = [...this.kept, { options, compiler }];
    return compiler;
  }

  /** Compiles rules before they come into force, rule by rule, with `turn` after each that took work. */
  async prepare(rules: readonly Rule[], options: OptionsOfRules, turn: () => Promise<void>): Promise<void> {
    if (this.of(options).compiled > 2 * rules.length + SPARE) this.forget(this.of(options));
    const compiler = this.of(options);
    for (const rule of rules) {
      const before = compiler.compiled;
      compileRuleSet([rule], { ...options, lists: this.lists, compiler });
      if (compiler.compiled > before) await turn();
    }
  }

  private forget(compiler: PatternCompiler): void {
    this.kept = this.kept.filter((one) => one.compiler !== compiler);
  }
}
