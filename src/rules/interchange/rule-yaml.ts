import { stringify } from 'yaml';
import type { Condition, Pattern, Skip, Step } from '../../engine/index.js';
import { sayExpr } from '../condition/say-expr.js';
import { sayDuration } from '../source/duration.js';
import { NotExpressible } from './not-expressible.js';

/** What a rule says beside its pattern. */
export interface RuleHead {
  readonly id: string;
  readonly title?: string;
  readonly key: unknown;
  readonly from?: string;
}

/** A `pattern.yaml` for a pattern that was read in another language, without features. */
export function ruleYaml(head: RuleHead, pattern: Pattern): string {
  const { withinMs, gapMs, skip } = pattern;
  return stringify(
    {
      ...head,
      ...time('within', withinMs),
      ...time('gap', gapMs),
      pattern: pattern.steps.map(stepOf),
      ...(skip === undefined ? {} : { skip: skipOf(skip) }),
    },
    { lineWidth: 0 },
  );
}

function stepOf(step: Step): object {
  const { contiguity, quantifier, inside, greedy, optional, until, withinMs, gapMs } = step;
  return {
    [contiguity === 'start' ? 'begin' : contiguity]:
      step.kind === 'event' ? step.name : { group: step.steps.map(stepOf) },
    ...(step.kind === 'event' && step.subtype !== undefined ? { subtype: step.subtype } : {}),
    ...(step.kind === 'event' && step.where !== undefined ? { where: text(step.where) } : {}),
    ...(quantifier === undefined ? {} : { times: times(quantifier) }),
    ...(inside === undefined ? {} : { inside }),
    ...(greedy === true ? { greedy } : {}),
    ...(optional === true ? { optional } : {}),
    ...(until === undefined ? {} : { until: text(until) }),
    ...time('within', withinMs),
    ...time('gap', gapMs ?? quantifier?.gapMs),
  };
}

function text(condition: Condition): string {
  if (condition.op === 'function') throw new NotExpressible('a condition that is a function');
  return sayExpr(condition);
}

function times({ from, to }: NonNullable<Step['quantifier']>): string | number {
  if (to === null) return `${from}+`;
  return from === to ? from : `${from}..${to}`;
}

const time = (key: string, ms: number | undefined): object => (ms === undefined ? {} : { [key]: sayDuration(ms) });

function skipOf(skip: Skip): unknown {
  if (!('step' in skip)) return skip.strategy;
  return { [skip.strategy]: skip.step, ...(skip.onMiss === undefined ? {} : { onMiss: skip.onMiss }) };
}
