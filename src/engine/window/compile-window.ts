import type { MatchNode } from '../buffer/match-node.js';
import { canonicalJson } from '../canonical-json.js';
import type { EngineEvent } from '../event.js';
import type { EventTest } from '../expression/event-test.js';
import type { Expr } from '../expression/expression.js';
import { greatestCommonDivisor, type PatternWindow, type WindowForm } from '../pattern/window.js';
import { type Tallying, tallyingOf } from './tally.js';

type Looks<T> = (event: EngineEvent, fields: Readonly<Record<string, unknown>>, head: MatchNode | null) => T;

/** Windows of one length, at one pace. */
export interface AlignedForm {
  readonly sizeMs: number;
  /** From the end of one window to that of the next. */
  readonly everyMs: number;
  /** From the epoch, modulo `everyMs`. */
  readonly offsetMs: number;
  /** Windows are put together of panes, and each pane is in a window as a whole or not at all. */
  readonly paneMs: number;
}

export interface SessionForm {
  readonly gapMs: number;
  /** Infinity: a session is as long as it is. */
  readonly maxMs: number;
}

export interface CompiledWindow {
  readonly aligned: AlignedForm | null;
  readonly session: SessionForm | null;
  readonly tallying: Tallying;
  /** Whether the event counts, where it is not asked already; `null`: all do. */
  readonly take: Looks<boolean> | null;
  /** The only step. */
  readonly step: string;
  /** Looks at what came out (`PatternWindow`); `null`: every window gives a match. */
  readonly having: Looks<unknown> | null;
  /** Events that a match shows. */
  readonly eventsMax: number;
  /** After so many ms without an event, nothing is left of a key. */
  readonly spanMs: number;
  /** Equal where what is under way can go on: the same windows and aggregates, conditions apart. */
  readonly shape: string;
}

/** What a compiler makes of expressions. */
export interface WindowExpressions {
  readonly testOf: (expr: Expr) => EventTest;
  readonly exprOf: (expr: Expr) => Looks<unknown>;
}

export function compileWindow(
  { form, aggregates, having, events = 1 }: PatternWindow,
  step: string,
  take: Looks<boolean> | null,
  { testOf, exprOf }: WindowExpressions,
): CompiledWindow {
  return {
    aligned: alignedOf(form),
    session: form.kind === 'session' ? { gapMs: form.gapMs, maxMs: form.maxMs ?? Number.POSITIVE_INFINITY } : null,
    tallying: tallyingOf(aggregates, ({ where }) => (where === undefined ? null : testOf(where))),
    take,
    step,
    having: having === undefined ? null : exprOf(having),
    eventsMax: events,
    spanMs: form.kind === 'session' ? form.gapMs : form.sizeMs,
    shape: canonicalJson([form, aggregates.map(({ name, fn, field, q }) => ({ name, fn, field, q }))]),
  };
}

function alignedOf(form: WindowForm): AlignedForm | null {
  if (form.kind === 'session') return null;
  const { sizeMs, offsetMs = 0 } = form;
  const everyMs = form.kind === 'hopping' ? form.everyMs : sizeMs;
  return { sizeMs, everyMs, offsetMs, paneMs: greatestCommonDivisor(sizeMs, everyMs) };
}
