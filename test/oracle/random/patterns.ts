import fc from 'fast-check';
import {
  type Contiguity,
  type Expr,
  type Pattern,
  type Skip,
  type Step,
  validatePattern,
} from '../../../src/engine/index.js';
import { isOptional } from '../place.js';
import { outOfScope } from '../scope.js';
import { aloneCondition, iterativeCondition, withNames } from './conditions.js';

/**
 * Random valid patterns. A draft has all modifiers on all steps; what may not stand together is dropped from it, so that
 * shrinking (which turns modifiers off and takes steps away) never leaves the valid ones.
 */
interface Draft {
  readonly contiguity: Contiguity;
  readonly where: Expr | null;
  readonly subtype: string | null;
  readonly quantifier: { readonly from: number; readonly more: number | null } | null;
  readonly inside: 'relaxed' | 'consecutive' | 'combinations';
  readonly greedy: boolean;
  readonly until: Expr | null;
  readonly optional: boolean;
  readonly withinMs: number | null;
  readonly gapMs: number | null;
  readonly steps: readonly Draft[] | null;
}

export interface PatternDraft {
  readonly steps: readonly Draft[];
  readonly withinMs: number | null;
  readonly gapMs: number | null;
  readonly skip: Skip['strategy'];
  readonly skipStep: number;
  readonly onMiss: boolean;
}

const windows = fc.constantFrom(30, 20, 10, 5);
const chance = (percent: number): fc.Arbitrary<boolean> =>
  fc.integer({ min: 0, max: 99 }).map((n) => n >= 100 - percent);
const sometimes = <T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(null) }, { weight: percent, arbitrary });

const condition = fc.oneof({ weight: 4, arbitrary: aloneCondition }, { weight: 1, arbitrary: iterativeCondition });

function draft(depth: number): fc.Arbitrary<Draft> {
  const steps = depth === 0 ? fc.constant(null) : fc.array(draft(depth - 1), { minLength: 1, maxLength: 3 });
  return fc.record({
    contiguity: fc.constantFrom('followedBy', 'next', 'followedByAny', 'followedBy', 'notFollowedBy', 'notNext'),
    where: fc.oneof({ weight: 12, arbitrary: condition }, { weight: 1, arbitrary: fc.constant(null) }),
    subtype: sometimes(6, fc.constantFrom('tx', 'card', 'wire')),
    quantifier: sometimes(
      40,
      fc.record({
        from: fc.integer({ min: 0, max: 3 }),
        more: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 2 })),
      }),
    ),
    inside: fc.constantFrom('relaxed', 'consecutive', 'combinations'),
    greedy: chance(25),
    until: sometimes(25, condition),
    optional: chance(25),
    withinMs: sometimes(4, windows),
    gapMs: sometimes(12, fc.constantFrom(10, 5, 3)),
    steps: depth === 0 ? fc.constant(null) : sometimes(22, steps as fc.Arbitrary<readonly Draft[]>),
  }) as fc.Arbitrary<Draft>;
}

const patternDraft: fc.Arbitrary<PatternDraft> = fc.record({
  steps: fc.array(draft(2), { minLength: 1, maxLength: 4 }),
  withinMs: sometimes(35, windows),
  gapMs: sometimes(5, fc.constantFrom(10, 5)),
  skip: fc.constantFrom('noSkip', 'noSkip', 'noSkip', 'noSkip', 'toNext', 'pastLastEvent', 'toFirst', 'toLast'),
  skipStep: fc.integer({ min: 0, max: 3 }),
  onMiss: chance(15),
});

/** `null` where nothing valid is left. */
export const randomPattern: fc.Arbitrary<Pattern | null> = patternDraft.map((d) => {
  const pattern = finished(d);
  return pattern === null || outOfScope(pattern) !== null || validatePattern(pattern).length > 0 ? null : pattern;
});

function finished(d: PatternDraft): Pattern | null {
  const names = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.slice(0, countEvents(d.steps)).split('');
  if (names.length === 0) return null;
  const steps = new Finishing(names).steps(d.steps);
  const targets = steps.filter((step) => step.kind === 'event').map((step) => step.name);
  const skip = skipOf(d, targets);
  return {
    steps,
    ...(d.withinMs === null ? {} : { withinMs: d.withinMs }),
    ...(d.gapMs === null ? {} : { gapMs: d.gapMs }),
    ...(skip.strategy === 'noSkip' ? {} : { skip }),
  };
}

function countEvents(steps: readonly Draft[]): number {
  return steps.reduce((n, step) => n + (step.steps === null ? 1 : countEvents(step.steps)), 0);
}

function skipOf(d: PatternDraft, targets: readonly string[]): Skip {
  if (d.skip !== 'toFirst' && d.skip !== 'toLast') return { strategy: d.skip };
  if (targets.length === 0) return { strategy: 'noSkip' };
  const step = targets[d.skipStep % targets.length]!;
  return { strategy: d.skip, step, ...(d.onMiss ? { onMiss: 'error' as const } : {}) };
}

type Modifiers = Pick<Step, 'quantifier' | 'inside' | 'greedy' | 'until' | 'optional' | 'withinMs' | 'gapMs'>;

class Finishing {
  private named = 0;

  constructor(private readonly names: readonly string[]) {}

  steps(drafts: readonly Draft[]): Step[] {
    const finished: Step[] = [];
    for (const d of drafts) finished.push(this.step(d, finished.at(-1)));
    return finished;
  }

  private step(d: Draft, before: Step | undefined): Step {
    const contiguity = contiguityOf(d, before);
    if (contiguity === 'notNext' || contiguity === 'notFollowedBy') {
      return { kind: 'event', name: this.name(), contiguity, ...this.conditions(d) };
    }
    const common = { contiguity, ...this.modifiers(d, before) };
    if (d.steps !== null) return { kind: 'group', ...common, steps: this.steps(d.steps) };
    return { kind: 'event', name: this.name(), ...common, ...this.conditions(d) };
  }

  private name(): string {
    return this.names[this.named++]!;
  }

  private conditions(d: Draft): { where?: Expr; subtype?: string } {
    return {
      ...(d.where === null ? {} : { where: withNames(d.where, this.names) }),
      ...(d.subtype === null ? {} : { subtype: d.subtype }),
    };
  }

  private modifiers(d: Draft, before: Step | undefined): Modifiers {
    const quantifier = quantifierOf(d);
    const loops = quantifier !== null && quantifier.to === null;
    const greedy = d.greedy && quantifier !== null && d.steps === null;
    const inside = greedy && d.inside === 'combinations' ? 'relaxed' : d.inside;
    const optional = d.optional && quantifier?.from !== 0 && before?.greedy !== true;
    return {
      ...(quantifier === null ? {} : { quantifier }),
      ...(quantifier === null || inside === 'relaxed' ? {} : { inside }),
      ...(greedy ? { greedy } : {}),
      ...(loops && d.until !== null ? { until: withNames(d.until, this.names) } : {}),
      ...(optional ? { optional } : {}),
      ...(d.withinMs === null ? {} : { withinMs: d.withinMs }),
      ...(d.gapMs === null || quantifier !== null || d.steps !== null ? {} : { gapMs: d.gapMs }),
    };
  }
}

/** A step begins if it is the first; negations cannot follow optional steps, nor stand for groups. */
function contiguityOf(d: Draft, before: Step | undefined): Contiguity {
  if (before === undefined) return 'start';
  const negates = d.contiguity === 'notNext' || d.contiguity === 'notFollowedBy';
  return negates && (d.steps !== null || isOptional(before)) ? 'followedBy' : d.contiguity;
}

function quantifierOf(d: Draft): NonNullable<Step['quantifier']> | null {
  if (d.quantifier === null) return null;
  const { from, more } = d.quantifier;
  const gap = d.gapMs === null || d.steps !== null ? {} : { gapMs: d.gapMs };
  if (more === null) return { from: Math.max(1, from), to: null, ...gap };
  return from === 0 ? { from, to: more + 1, ...gap } : { from, to: from + more, ...gap };
}
