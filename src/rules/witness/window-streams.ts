import type { Expr, PatternWindow, Scalar } from '../../engine/index.js';
import { eventSteps } from '../explain/operands.js';
import { conditionOf } from '../logic/step-condition.js';
import { constantsIn, MANNERS, stepAt } from './solve.js';
import { type MadeEvent, START_MS, type StreamMaker } from './stream.js';

/** So many events in one window. */
const COUNTS = [1, 2, 3, 4, 5, 6, 8, 11, 21, 51, 101];
/** Streams that are tried, at most. */
const TRIES_MAX = 1500;

/**
 * Streams for a rule that emits when windows end, short ones first: events of one window, all alike or with one value that stands out, as
 * large as what `having` asks of them suggests.
 */
export function* windowStreams(maker: StreamMaker): Generator<readonly MadeEvent[]> {
  const window = maker.rule.pattern.window!;
  const [step] = maker.rule.pattern.steps.flatMap(eventSteps);
  const asked = conditionOf(step!, maker.kinds);
  const wheres = window.aggregates.flatMap(({ where }) => (where === undefined ? [] : [where]));
  // Events that count for no aggregate but those of all, for each one, and for all.
  const conditions: Expr[] = [asked, ...wheres.map((where) => all(asked, where)), all(asked, ...wheres)];
  let tries = 0;
  for (const count of COUNTS) {
    for (const stepMs of stepsOf(window, count)) {
      for (const condition of wheres.length === 0 ? [asked] : conditions) {
        for (const manner of MANNERS) {
          const places = Array.from({ length: count }, () => ({ step: step!, condition }));
          const made = maker.make(places, startOf(window), stepMs, manner);
          if (made === null) continue;
          for (const stream of [made, ...withNumbers(made, maker)]) {
            if (++tries > TRIES_MAX) return;
            yield stream;
          }
        }
      }
    }
  }
}

const all = (...args: readonly Expr[]): Expr => ({ op: 'and', args });

/** The first moment of a window. */
function startOf({ form }: PatternWindow): number {
  if (form.kind === 'session') return START_MS;
  const { offsetMs = 0 } = form;
  const every = form.kind === 'hopping' ? form.everyMs : form.sizeMs;
  return Math.ceil((START_MS - offsetMs) / every) * every + offsetMs;
}

/** Between events, so that all are in one window: close together, and as far apart as may be. */
function stepsOf({ form }: PatternWindow, count: number): readonly number[] {
  const longest =
    form.kind !== 'session'
      ? Math.floor((form.sizeMs - 1) / count)
      : Math.min(form.gapMs - 1, Math.floor(((form.maxMs ?? Number.POSITIVE_INFINITY) - 1) / count));
  const far = Math.max(1, longest);
  return count === 1 || far <= 1000 ? [far] : [Math.min(1000, far), far];
}

/** The numbers that aggregates read, as large as the constants of `having`, alone and shared out among the events. */
function* withNumbers(made: readonly MadeEvent[], { rule }: StreamMaker): Generator<readonly MadeEvent[]> {
  const { aggregates, having } = rule.pattern.window!;
  const fields = [...new Set(aggregates.flatMap(({ field }) => field ?? []))].filter(
    (field) => typeof made[0]!.event.fields[field] === 'number',
  );
  if (having === undefined || fields.length === 0) return;
  const bounds = constantsIn(having).filter((value) => typeof value === 'number');
  const sizes = new Set(
    bounds.flatMap((bound) => [bound + stepAt(bound), Math.ceil(bound / made.length) + 1, 2 * bound, bound / 2]),
  );
  for (const size of sizes) {
    yield made.map((one) => withFields(one, fields, size));
    if (made.length > 1) yield made.with(-1, withFields(made.at(-1)!, fields, size));
  }
}

function withFields({ step, event }: MadeEvent, fields: readonly string[], value: Scalar): MadeEvent {
  const changed = Object.fromEntries(fields.map((field) => [field, value]));
  return { step, event: { ...event, fields: { ...event.fields, ...changed } } };
}
