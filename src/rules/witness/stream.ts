import { type EngineEvent, type Expr, type Lists, PatternRunner, type Scalar } from '../../engine/index.js';
import { keyFields } from '../key-name.js';
import { kindsBelow } from '../logic/step-condition.js';
import { OtherKeyWindows } from '../other-key-windows.js';
import type { Rule } from '../rule.js';
import { isTaken } from '../streams-read.js';
import type { TestStream } from '../testing/rule-test.js';
import { type Place } from './linear.js';
import { defaultOf, type Fields, MANNERS, type Manner, solve, stepAt } from './solve.js';
import { KIND, LISTED, LOOKED_UP, STREAM, substitute } from './substitute.js';

/** A Monday, as in tests. */
export const START_MS = Date.UTC(2026, 0, 5);

export const witnessLists: Lists = { has: (_, value) => value === LISTED, get: () => LOOKED_UP };

export interface MadeEvent {
  /** The step that it is made for; `null`: it only fills a window. */
  readonly step: string | null;
  readonly event: EngineEvent;
}

/** Makes streams of events for one rule, and asks the engine what they fire. */
export class StreamMaker {
  private readonly key: string;
  readonly kindParents: ReadonlyMap<string, string>;

  constructor(
    readonly rule: Rule,
    private readonly streams: readonly TestStream[],
  ) {
    this.kindParents = new Map(streams.flatMap(({ schema }) => [...(schema?.kindParents ?? [])]));
    this.key = rule.keyBy.form === 'pair' ? 'A1/A1' : 'A1';
  }

  readonly kinds = (subtype: string): readonly string[] => kindsBelow(this.kindParents)(subtype);

  /** Events for the places, `stepMs` apart; `null`: no values were found for one of them. */
  make(places: readonly Place[], startMs: number, stepMs: number, manner: Manner): readonly MadeEvent[] | null {
    const made: MadeEvent[] = [];
    const taken = new Map<string, EngineEvent[]>();
    for (const [i, { step, condition }] of places.entries()) {
      const event = this.event(condition, startMs + i * stepMs, i + 1, manner, taken);
      if (event === null) return null;
      const takes = step.contiguity !== 'notNext';
      made.push({ step: takes ? step.name : null, event });
      if (!takes) continue;
      taken.set(step.name, [...(taken.get(step.name) ?? []), event]);
    }
    return made;
  }

  /** An event for a condition; of a feature's, `taken` is empty. */
  event(
    condition: Expr,
    time: number,
    number: number,
    manner: Manner = MANNERS[0]!,
    taken: ReadonlyMap<string, readonly EngineEvent[]> = new Map(),
  ): EngineEvent | null {
    const stream = this.streamFor(condition);
    const typeField = stream.typeField ?? null;
    const expr = substitute(condition, { taken, time, key: this.key, typeField });
    const fixed = this.fixed(stream, time, number);
    const known = (field: string): boolean => stream.schema === null || stream.schema.fields.has(field);
    const also = [...this.rule.fields, ...(typeField === null ? [] : [typeField])].filter(known);
    const fields = solve(expr, true, { schema: stream.schema, lists: witnessLists, fixed, also, manner, number });
    return fields && this.eventOf(fields, stream, time, number);
  }

  eventOf(fields: Fields, stream: TestStream, time: number, number: number): EngineEvent {
    const { [KIND]: own, [STREAM]: _, ...rest } = fields;
    const kind = stream.typeField === undefined ? own : rest[stream.typeField];
    const name = stream.name ?? fields[STREAM];
    return {
      time,
      seq: number,
      kind: String(kind ?? ''),
      fields: rest,
      ...(typeof name === 'string' ? { stream: name } : {}),
    };
  }

  /** Of the streams that the rule reads, the one that the condition asks for. */
  streamFor(condition: Expr): TestStream {
    const text = JSON.stringify(condition);
    const asked = this.streams.find(({ name }) => name !== undefined && text.includes(streamIs(name)));
    return asked ?? this.streams.find(({ name }) => isTaken(this.rule, { stream: name })) ?? this.streams[0]!;
  }

  isKey(field: string): boolean {
    return this.streams.some(({ name }) => keyFields(this.rule.keyBy, name).includes(field));
  }

  /** Values that a field could have instead, the nearest first. */
  othersThan(field: string, value: unknown, { stream }: EngineEvent): readonly Scalar[] {
    if (typeof value === 'number') return [value - stepAt(value), value + stepAt(value), value / 2, value * 2];
    if (typeof value === 'boolean') return [!value];
    const of = this.streams.find(({ name }) => name === stream) ?? this.streams[0]!;
    const symbols = of.schema?.fields.get(field)?.symbols;
    if (symbols !== undefined) return symbols.filter((symbol) => symbol !== value);
    return value === null ? [defaultOf(field, of.schema)] : ['other'];
  }

  fires(events: readonly MadeEvent[]): boolean {
    const { values, features } = this.rule;
    const told = { ...(values && { values }), ...(features && { features }) };
    const options = { ...told, kindParents: this.kindParents, key: this.key, lists: witnessLists };
    const runner = new PatternRunner(this.rule.pattern, options);
    const others = new OtherKeyWindows(this.rule, { kindParents: this.kindParents, lists: witnessLists });
    let matches = 0;
    for (const { event: made } of events) {
      const event = others.tell(made);
      if (isTaken(this.rule, event)) matches += runner.feed(event).length;
    }
    return matches + runner.advance(Number.MAX_SAFE_INTEGER).length > 0;
  }

  private fixed(stream: TestStream, time: number, number: number): Fields {
    const fixed: Record<string, Scalar> = {};
    if (stream.name !== undefined) fixed[STREAM] = stream.name;
    const typeOf = (field: string) => stream.schema?.fields.get(field)?.type;
    keyFields(this.rule.keyBy, stream.name).forEach((field, i) => {
      const own = this.rule.keyBy.form === 'each' && i > 0 ? i + 1 : 1;
      fixed[field] = typeOf(field) === 'number' ? own : `A${own}`;
    });
    if (stream.idField !== undefined)
      fixed[stream.idField] = typeOf(stream.idField) === 'number' ? number : `t${number}`;
    if (stream.timeField !== undefined)
      fixed[stream.timeField] = typeOf(stream.timeField) === 'string' ? new Date(time).toISOString() : time;
    return fixed;
  }
}

const streamIs = (name: string): string =>
  JSON.stringify({ left: { op: 'meta', name: 'stream' }, right: { op: 'const', value: name } }).slice(1, -1);
