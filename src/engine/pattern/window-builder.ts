import type { Expr } from '../expression/expression.js';
import { type ConditionLike, PatternBuilder } from './builder.js';
import type { Pattern } from './pattern.js';
import { WINDOW_STEP, type WindowAggregate, type WindowForm } from './window.js';

/**
 * The fluent form of a pattern that emits when windows end.
 *
 *     tumbling(60_000).where(eq(field('type'), 'Payment')).aggregate('payments', { fn: 'count' })
 *       .having(ge(field('payments'), 20)).build()
 */
export class WindowBuilder {
  private readonly events = new PatternBuilder(WINDOW_STEP);
  private readonly aggregates: WindowAggregate[] = [];
  private condition: Expr | undefined;
  private shown: number | undefined;

  /** @internal use `tumbling`, `hopping` or `session` */
  constructor(private form: WindowForm) {}

  /** Which events count. Given more than once, all must hold. */
  where(condition: ConditionLike): this {
    this.events.where(condition);
    return this;
  }

  /** An alternative to what `where` has said so far. */
  or(condition: ConditionLike): this {
    this.events.or(condition);
    return this;
  }

  subtype(kind: string): this {
    this.events.subtype(kind);
    return this;
  }

  aggregate(name: string, aggregate: Omit<WindowAggregate, 'name'>): this {
    this.aggregates.push({ name, ...aggregate });
    return this;
  }

  /** Which windows give a match. */
  having(condition: Expr): this {
    this.condition = condition;
    return this;
  }

  /** How many of its newest events a match has. */
  showing(events: number): this {
    this.shown = events;
    return this;
  }

  /** Moves windows of a fixed length on from the epoch. */
  offset(ms: number): this {
    if (this.form.kind === 'session') throw new TypeError('A session begins with its first event: it has no offset.');
    this.form = { ...this.form, offsetMs: ms };
    return this;
  }

  build(): Pattern {
    const { form, aggregates, condition, shown } = this;
    return {
      ...this.events.build(),
      window: {
        form,
        aggregates: [...aggregates],
        ...(condition === undefined ? {} : { having: condition }),
        ...(shown === undefined ? {} : { events: shown }),
      },
    };
  }
}

export const tumbling = (sizeMs: number): WindowBuilder => new WindowBuilder({ kind: 'tumbling', sizeMs });

export const hopping = (sizeMs: number, everyMs: number): WindowBuilder =>
  new WindowBuilder({ kind: 'hopping', sizeMs, everyMs });

/** `maxMs`: longest session. */
export const session = (gapMs: number, maxMs?: number): WindowBuilder =>
  new WindowBuilder({ kind: 'session', gapMs, ...(maxMs === undefined ? {} : { maxMs }) });
