import type { EventStep, Expr, Pattern, PatternPath, Step } from '../../engine/index.js';
import type { StepInfo } from '../condition/scope.js';
import { Logic } from '../logic/constraints.js';
import { conditionOf, kindsBelow } from '../logic/step-condition.js';
import type { EventSchema } from '../schema.js';

/** What is doubtful in a pattern that is well formed. */
export interface LintFinding {
  readonly code: 'dead-step' | 'costly-loop';
  readonly path: PatternPath;
  readonly message: string;
  readonly hint: string;
}

/** Finds steps that can take no event, and loops whose matches multiply. `fallback`: what is known of events where a step says nothing. */
export function lintSteps(
  pattern: Pattern,
  infos: readonly StepInfo[],
  fallback: EventSchema | null,
): readonly LintFinding[] {
  return new StepLint(infos, fallback).steps(pattern.steps, ['steps']);
}

class StepLint {
  constructor(
    private readonly infos: readonly StepInfo[],
    private readonly fallback: EventSchema | null,
  ) {}

  steps(steps: readonly Step[], path: PatternPath): readonly LintFinding[] {
    return steps.flatMap((step, i) => {
      const at = [...path, i];
      if (step.kind === 'group') return this.steps(step.steps, [...at, 'steps']);
      return [...this.alone(step, at), ...this.after(steps[i - 1], step, at)];
    });
  }

  private alone(step: EventStep, path: PatternPath): readonly LintFinding[] {
    const { name, where, subtype, until, quantifier, inside } = step;
    const logic = this.logic(step);
    const condition = this.condition(step);
    const findings: LintFinding[] = [];
    const whereAlone = where === undefined || where.op === 'function' || logic.possible([where, true]);
    if (whereAlone && !logic.possible([condition, true])) {
      const message = `${name} takes no event: none of the kind ${subtype} fits its condition.`;
      findings.push(dead(path, message, 'Change the condition, or the subtype.'));
    } else if (until !== undefined && until.op !== 'function' && logic.implies(condition, until)) {
      const message = `${name} takes no event: each one that fits it also ends it.`;
      findings.push(dead([...path, 'until'], message, 'Make until exclude what the step takes.'));
    }
    if (inside === 'combinations' && quantifier?.to === null && until === undefined) {
      const message = `Each combination of fitting events is a match of ${name}: their number doubles with every event.`;
      const hint = 'Give times an upper bound, add until, or write inside: relaxed.';
      findings.push({ code: 'costly-loop', path: [...path, 'inside'], message, hint });
    }
    return findings;
  }

  /** Whether what stands before leaves nothing for the step. */
  private after(before: Step | undefined, step: EventStep, path: PatternPath): readonly LintFinding[] {
    if (before?.kind !== 'event' || isNegated(step)) return [];
    const condition = this.condition(step);
    if (!this.logic(step).implies(condition, this.condition(before))) return [];
    // What must not follow may come with the next step, as Flink has it; what must not be next cannot.
    if (before.contiguity === 'notNext' && step.contiguity === 'next') {
      const message = `${step.name} takes no event: each one that fits it must not happen, says ${before.name}.`;
      return [dead(path, message, 'Make their conditions exclude each other.')];
    }
    if (before.greedy === true && before.quantifier?.to === null && before.until === undefined) {
      const message = `${step.name} takes no event: ${before.name} is greedy, and takes each one that fits it.`;
      return [dead(path, message, `Make ${before.name} exclude what ${step.name} takes, or leave greedy out.`)];
    }
    return [];
  }

  private condition(step: EventStep): Expr {
    return conditionOf(step, kindsBelow(this.schemaOf(step.name)?.kindParents ?? new Map()));
  }

  private logic(step: EventStep): Logic {
    return new Logic((name) => this.schemaOf(name ?? step.name));
  }

  private schemaOf(name: string): EventSchema | null {
    const schema = this.infos.find((info) => info.name === name)?.schema;
    return schema === undefined ? this.fallback : schema;
  }
}

const dead = (path: PatternPath, message: string, hint: string): LintFinding => ({
  code: 'dead-step',
  path,
  message,
  hint,
});

const isNegated = ({ contiguity }: Step): boolean => contiguity === 'notNext' || contiguity === 'notFollowedBy';
