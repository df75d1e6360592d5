import { type EngineEvent, type EventStep, type Expr, type Lists, PatternRunner } from '../../engine/index.js';
import type { Truths, WindowEngine } from './window-truths.js';

/** Which events the conditions are asked of; absent: every event. */
export type Taken = Pick<EventStep, 'where' | 'subtype'>;

/**
 * Notes what conditions that see the event alone (of features, of aggregates) were of each event of the tests, part by part and as far as each
 * decides: of `a && b`, `b` counts as tested where `a` is true.
 */
export class EventTruths {
  private readonly truths = new Map<Expr, Truths>();
  private readonly runners = new Map<string, PatternRunner>();
  private readonly atoms: readonly Expr[];

  constructor(
    private readonly taken: Taken,
    private readonly conditions: readonly Expr[],
    private readonly engine: WindowEngine,
  ) {
    this.atoms = conditions.flatMap(atomsOf);
  }

  of(part: Expr): Truths {
    return this.truths.get(part) ?? { true: false, false: false };
  }

  feed(key: string, event: EngineEvent, lists: Lists | undefined): void {
    for (const { values = [] } of this.runnerOf(key, lists).feed(event)) {
      const known = new Map(this.atoms.map((atom, i) => [atom, values[i] === true]));
      for (const condition of this.conditions) this.note(condition, known);
    }
  }

  /** A test is over. */
  end(): void {
    this.runners.clear();
  }

  private runnerOf(key: string, lists: Lists | undefined): PatternRunner {
    let runner = this.runners.get(key);
    if (runner === undefined) {
      const { kindParents } = this.engine;
      const options = { ...(kindParents && { kindParents }), ...(lists && { lists }) };
      const step = { kind: 'event', name: 'event', contiguity: 'start', ...this.taken } as const;
      runner = new PatternRunner({ steps: [step] }, { ...options, key, values: this.atoms });
      this.runners.set(key, runner);
    }
    return runner;
  }

  private note(expr: Expr, known: ReadonlyMap<Expr, boolean>): boolean {
    const truth = this.evaluate(expr, known);
    const truths = this.truths.get(expr) ?? { true: false, false: false };
    truths[`${truth}`] = true;
    this.truths.set(expr, truths);
    return truth;
  }

  private evaluate(expr: Expr, known: ReadonlyMap<Expr, boolean>): boolean {
    if (expr.op === 'and') return expr.args.every((arg) => this.note(arg, known));
    if (expr.op === 'or') return expr.args.some((arg) => this.note(arg, known));
    if (expr.op === 'not') return !this.note(expr.arg, known);
    return expr.op === 'const' ? expr.value === true : known.get(expr) === true;
  }
}

/** What is left when `and`, `or` and `not` are taken apart; constants show nothing. */
export function atomsOf(expr: Expr): readonly Expr[] {
  if (expr.op === 'and' || expr.op === 'or') return expr.args.flatMap(atomsOf);
  if (expr.op === 'not') return atomsOf(expr.arg);
  return expr.op === 'const' ? [] : [expr];
}
