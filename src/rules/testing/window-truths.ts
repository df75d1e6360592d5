import {
  type EngineEvent,
  type Expr,
  type Lists,
  type Match,
  type Pattern,
  PatternRunner,
} from '../../engine/index.js';
import type { Rule } from '../rule.js';

/** What a condition was, in some test. */
export interface Truths {
  true: boolean;
  false: boolean;
}

export interface WindowEngine {
  readonly kindParents?: ReadonlyMap<string, string>;
}

/**
 * Notes what parts of `having` were of each window that ended, those too that gave no alert: the same windows again, with every one of
 * them giving a match that tells of each part.
 */
export class WindowTruths {
  private readonly truths: readonly Truths[];
  private readonly pattern: Pattern;
  private readonly runners = new Map<string, PatternRunner>();

  constructor(
    { pattern }: Rule,
    private readonly parts: readonly Expr[],
    private readonly engine: WindowEngine,
  ) {
    this.truths = parts.map(() => ({ true: false, false: false }));
    const { having: _, ...window } = pattern.window!;
    this.pattern = { ...pattern, window };
  }

  of(part: Expr): Truths {
    return this.truths[this.parts.indexOf(part)]!;
  }

  feed(key: string, event: EngineEvent, lists: Lists | undefined): void {
    let runner = this.runners.get(key);
    if (runner === undefined) {
      const { kindParents } = this.engine;
      const options = { ...(kindParents && { kindParents }), ...(lists && { lists }) };
      runner = new PatternRunner(this.pattern, { ...options, key, values: this.parts });
      this.runners.set(key, runner);
    }
    this.note(runner.feed(event));
  }

  /** A test is over: all windows end. */
  end(): void {
    for (const runner of this.runners.values()) this.note(runner.advance(Number.MAX_SAFE_INTEGER));
    this.runners.clear();
  }

  private note(matches: readonly Match[]): void {
    for (const { values = [] } of matches) {
      for (const [i, value] of values.entries()) if (typeof value === 'boolean') this.truths[i]![`${value}`] = true;
    }
  }
}
