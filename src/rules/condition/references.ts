import type { AggregateFn, Expr } from '../../engine/index.js';
import { suggest } from '../source/nearest.js';
import type { Reporter, Span } from '../source/source-file.js';
import type { CelNode } from './cel.js';
import { fieldNames, fieldOf, isMeta, ofStep, type Scope } from './scope.js';
import { type Checked, typed, type ValueType } from './typed.js';

/**
 * What a condition says of the events that other steps have matched: `large.amount`, `large[0].amount`,
 * `first(large).amount`, `count(large)`, `sum(large.amount)`.
 */
export const STATISTICS = ['count', 'sum', 'avg', 'min', 'max', 'distinct', 'stddev'] as const;
export const PICKS = ['first', 'last'] as const;
const NUMERIC: ReadonlySet<string> = new Set(['sum', 'avg', 'min', 'max', 'stddev']);

export const EVENT_ALONE = 'The condition of a feature sees the event alone.';

/** Which event of a step, or all of them. */
type Which = { readonly pick: 'first' | 'last' } | { readonly index: number };

interface StepValue {
  readonly step: string;
  readonly which: Which;
}

export class References {
  constructor(
    private readonly scope: Scope,
    private readonly reporter: Reporter,
  ) {}

  /** `step.field`, `step[n].field`, `first(step).field`. */
  access(node: Extract<CelNode, { op: '.' }>): Checked {
    const [target, name] = node.args;
    const value = this.stepValue(target);
    if (value === null) return null;
    const field = this.field(value.step, name, { start: node.pos, end: node.end });
    if (field === null) return null;
    const expr: Expr =
      'pick' in value.which
        ? { op: 'aggregate', fn: value.which.pick, step: value.step, field: field.name }
        : { op: 'nth', step: value.step, index: value.which.index, field: field.name };
    return typed(expr, field.type, field.symbols);
  }

  /** `count(step)`, `sum(step.field)` and the like. */
  statistic(fn: (typeof STATISTICS)[number], node: CelNode, args: readonly CelNode[]): Checked {
    const [arg] = args;
    const form = fn === 'count' ? 'count(step)' : `${fn}(step.field)`;
    if (arg === undefined || args.length !== 1) {
      this.reporter.error('wrong-arguments', node.range, `${fn} takes one argument.`, `Write ${form}.`);
      return null;
    }
    if (fn === 'count') return this.countOf(arg, form);
    if (arg.op !== '.' || arg.args[0].op !== 'id') {
      this.reporter.error('wrong-arguments', arg.range, `${fn} takes a field of a step.`, `Write ${form}.`);
      return null;
    }
    const [step, name] = arg.args;
    const known = this.step(step.args as string, step.range);
    const field = this.field(step.args as string, name, { start: arg.pos, end: arg.end });
    if (!known || field === null) return null;
    if (NUMERIC.has(fn) && field.type !== 'number' && field.type !== 'unknown') {
      this.reporter.error('type-mismatch', arg.range, `${fn} takes numbers, and ${name} is ${sayField(field.type)}.`);
      return null;
    }
    return typed({ op: 'aggregate', fn: fn as AggregateFn, step: step.args as string, field: field.name }, 'number');
  }

  private countOf(arg: CelNode, form: string): Checked {
    if (arg.op !== 'id') {
      this.reporter.error('wrong-arguments', arg.range, 'count takes a step.', `Write ${form}.`);
      return null;
    }
    if (!this.step(arg.args, arg.range)) return null;
    return typed({ op: 'aggregate', fn: 'count', step: arg.args }, 'number');
  }

  private stepValue(node: CelNode): StepValue | null {
    if (node.op === 'id') return this.step(node.args, node.range) ? { step: node.args, which: { pick: 'last' } } : null;
    if (node.op === '[]') return this.indexed(node);
    if (node.op === 'call' && (PICKS as readonly string[]).includes(node.args[0])) {
      const [fn, [arg, ...more]] = node.args;
      if (arg?.op === 'id' && more.length === 0) {
        return this.step(arg.args, arg.range) ? { step: arg.args, which: { pick: fn as 'first' | 'last' } } : null;
      }
      this.reporter.error('wrong-arguments', node.range, `${fn} takes a step.`, `Write ${fn}(step).field.`);
      return null;
    }
    this.reporter.error(
      'unsupported',
      node.range,
      'Only a step has fields to speak of.',
      'Write step.field, step[0].field, first(step).field or last(step).field.',
    );
    return null;
  }

  private indexed(node: Extract<CelNode, { op: '[]' }>): StepValue | null {
    const [target, index] = node.args;
    if (target.op !== 'id') {
      this.reporter.error('unsupported', node.range, 'Only a step can be indexed.', 'Write step[0].field.');
      return null;
    }
    const known = this.step(target.args, target.range);
    const n = index.op === 'value' && typeof index.args === 'bigint' ? Number(index.args) : -1;
    if (n < 0) {
      const hint = 'The first event is step[0]; for the last one write last(step).field.';
      this.reporter.error('unsupported', index.range, 'The index must be a whole number of at least 0.', hint);
      return null;
    }
    return known ? { step: target.args, which: { index: n } } : null;
  }

  /** Whether the step is there. Warns of references that never hold an event. */
  private step(name: string, span: Span): boolean {
    const { steps, self } = this.scope;
    if (self < 0) {
      this.reporter.error('not-in-feature', span, EVENT_ALONE, 'Write the field alone.');
      return false;
    }
    const index = steps.findIndex((step) => step.name === name);
    const step = steps[index];
    if (step === undefined) {
      this.unknownStep(name, span);
      return false;
    }
    if (step.negated) {
      const message = `${name} is a step that must not happen: it never has events.`;
      this.reporter.warning('always-empty', span, message, 'Refer to a step that is matched.');
    } else if (index > self) {
      const message = `${name} comes after ${steps[self]!.name}: it has no events yet when this is tested.`;
      this.reporter.warning('later-step', span, message, `Put the comparison on ${name} instead.`);
    } else if (index === self && !step.repeats) {
      const message = `${name} takes one event, the one under test: before it there is none.`;
      this.reporter.warning('always-empty', span, message, 'Write the field alone for the event under test.');
    }
    return true;
  }

  private unknownStep(name: string, span: Span): void {
    const names = this.scope.steps.map((step) => step.name);
    const isField = this.scope.schema?.fields.has(name) ?? false;
    if (isField || this.scope.features?.known.has(name)) {
      const message = `${name} is a ${isField ? 'field' : 'feature'} and has no parts.`;
      this.reporter.error('unknown-step', span, message, `Steps: ${names.join(', ')}.`);
    } else {
      this.reporter.error('unknown-step', span, `There is no step ${name}.`, suggest(name, names));
    }
  }

  /** A field of a step's event, by the name that the engine knows it by. */
  private field(
    step: string,
    name: string,
    span: Span,
  ): { readonly name: string; readonly type: ValueType; readonly symbols?: readonly string[] } | null {
    const scope = ofStep(this.scope, step);
    if (isMeta(scope, name)) return { name: `$${name}`, type: name === 'time' ? 'number' : 'string' };
    const field = fieldOf(scope, name);
    if (field === null) {
      this.reporter.error('unknown-field', span, `There is no field ${name}.`, suggest(name, fieldNames(scope)));
      return null;
    }
    this.scope.fields.add(name);
    return field === 'unknown' ? { name, type: 'unknown' } : { name, type: field.type, symbols: field.symbols };
  }
}

function sayField(type: ValueType): string {
  return type === 'string' ? 'text' : type === 'boolean' ? 'true or false' : 'no single value';
}
