import { type EngineEvent, type Lists, type Match, type MatchNode, PatternCompiler } from '../../../engine/index.js';
import { operandsOf } from '../../../rules/explain/operands.js';
import type { Rule } from '../../../rules/rule.js';
import type { EventValues } from '../../ports/alert.js';
import { isNoted, noteIdOf, scalarOr } from '../noted.js';
import type { RecordedEvent } from '../source-event.js';
import type { Pseudonyms } from './pseudonyms.js';

/** What alerts tell of the conditions of a rule. */
export interface ToldMatch extends Pick<Match, 'steps' | 'features'> {
  readonly key: string;
  /** Event time in ms at which it was complete. */
  readonly at: number;
}

/** What is needed beside the match. */
export interface ValuesSource {
  /** What rules ask, as it is now. Absent: nothing. */
  lists?(): Lists | undefined;
  /** Undefined: alerts have all as it is in the records. */
  pseudonyms?(): Pseudonyms | undefined;
}

interface Moment {
  readonly event: RecordedEvent;
  readonly head: MatchNode | null;
  /** The event completed the match: features and lists are as they were at it. */
  readonly isLast: boolean;
  readonly match: ToldMatch;
}

interface Reading {
  readonly name: string;
  /** `undefined`: nobody knows any more. */
  read(of: Moment): EventValues[string] | undefined;
}

/** What was compiled for a rule when it had its first alert. */
const readings = new WeakMap<Rule, RuleReadings>();

/**
 * What the condition of each step read at each event that it took, by how it is written there. Events without a condition that reads
 * anything are left out, and so is a value that nobody noted at the event: a release before this one took it.
 */
export function valuesOf(rule: Rule, match: ToldMatch, source: ValuesSource): ReadonlyMap<EngineEvent, EventValues> {
  let known = readings.get(rule);
  if (known === undefined) {
    known = new RuleReadings(rule);
    readings.set(rule, known);
  }
  return known.of(match, source);
}

class RuleReadings {
  private readonly steps: readonly string[];
  private readonly byStep: ReadonlyMap<string, readonly Reading[]>;
  private readonly compiler: PatternCompiler;
  private lists: Lists | undefined;

  constructor(private readonly rule: Rule) {
    const operands = operandsOf(rule);
    this.compiler = new PatternCompiler({
      lists: {
        has: (name, value) => this.lists?.has(name, value) === true,
        get: (name, key) => this.lists?.get(name, key),
      },
    });
    const named = [...operands.values()].flat().flatMap(({ expr }) => ('step' in expr ? [expr.step] : []));
    this.steps = [...new Set([...operands.keys(), ...named])];
    this.byStep = new Map(
      [...operands].map(([step, of]) => [step, of.flatMap(({ name, expr }) => this.reading(name, expr) ?? [])]),
    );
  }

  of(match: ToldMatch, source: ValuesSource): ReadonlyMap<EngineEvent, EventValues> {
    const told = new Map<EngineEvent, EventValues>();
    if (this.byStep.size === 0) return told;
    this.lists = source.lists?.();
    const pseudonyms = source.pseudonyms?.();
    this.compiler.predicates.key.value = match.key;
    const taken = match.steps.flatMap(({ name, events }) => events.map((event) => ({ name, event })));
    // A run takes events in the order in which they are processed.
    taken.sort((a, b) => a.event.seq - b.event.seq);
    let head: MatchNode | null = null;
    for (const { name, event } of taken) {
      const recorded = event as RecordedEvent;
      const isLast = event === taken.at(-1)!.event && !recorded.noted && event.time === match.at;
      const values = this.valuesAt(name, { event: recorded, head, isLast, match });
      if (values !== null) told.set(event, pseudonyms?.operands(this.rule, values) ?? values);
      head = { event, step: this.steps.indexOf(name), previous: head };
    }
    return told;
  }

  private valuesAt(step: string, moment: Moment): EventValues | null {
    const values: Record<string, EventValues[string]> = {};
    for (const { name, read } of this.byStep.get(step) ?? []) {
      const value = read(moment);
      if (value !== undefined) values[name] = value;
    }
    return Object.keys(values).length === 0 ? null : values;
  }

  private reading(name: string, expr: Parameters<typeof noteIdOf>[0]): Reading | undefined {
    if (expr.op === 'feature') {
      const id = noteIdOf(expr);
      const last = ({ isLast, match }: Moment) => (isLast ? match.features?.[name] : undefined);
      return { name, read: (of) => notedOr(of, id, last) };
    }
    // Of a list that is asked with what events before had, nothing is noted.
    if (expr.op === 'lookup' && !isNoted(expr)) return undefined;
    const value = this.compiler.predicates.valueOf(expr, this.steps);
    const read = ({ event, head }: Moment) => scalarOr(value(event, event.fields, head));
    if (expr.op !== 'lookup') return { name, read };
    const id = noteIdOf(expr);
    return { name, read: (of) => notedOr(of, id, (now) => (now.isLast ? read(now) : undefined)) };
  }
}

function notedOr(of: Moment, id: number, otherwise: (of: Moment) => EventValues[string] | undefined) {
  const noted = of.event.noted?.valueOf(id);
  return noted === undefined ? otherwise(of) : noted;
}
