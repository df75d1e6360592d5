import type { EngineEvent, Feature } from '../../engine/index.js';
import { conditionOf } from '../logic/step-condition.js';
import type { Rule } from '../rule.js';
import type { TestStream } from '../testing/rule-test.js';
import { streamsOfRule } from '../testing/test-streams.js';
import { type Place, shortestWay } from './linear.js';
import { MANNERS } from './solve.js';
import { type MadeEvent, START_MS, StreamMaker } from './stream.js';
import { LISTED } from './substitute.js';
import { windowStreams } from './window-streams.js';

export interface WitnessEvent {
  readonly id: string;
  /** ms since the beginning, a Monday at 0:00 UTC as in tests. */
  readonly at: number;
  /** The step that it is meant for; `null`: it only fills a window of a feature. */
  readonly step: string | null;
  readonly fields: EngineEvent['fields'];
}

export interface Witness {
  readonly rule: string;
  /** The shortest stream that was found to fire the rule; checked by running the engine. `null`: none was found. */
  readonly fires: readonly WitnessEvent[] | null;
  /** The same with one difference, by which it does not; `null`: none was found. */
  readonly justNot: { readonly events: readonly WitnessEvent[]; readonly difference: string } | null;
  /** Lists of the rule, which all hold but this entry here, and have "100" for each key. */
  readonly listed?: string;
}

const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS;
/** Between events: as much as windows allow. */
const STEPS_MS = [MINUTE_MS, 1000, 10 * MINUTE_MS, 60 * MINUTE_MS, 1, 6 * 60 * MINUTE_MS, 24 * 60 * MINUTE_MS];
const HOURS = [0, 12, 3, 6, 9, 15, 18, 21, 23, 26, 5 * 24, 6 * 24 + 12];
const FILLERS = [1, 2, 3, 5, 10, 20, 50];
/** Windows of more events are not tried with others before them. */
const FILLED_MAX = 8;

/** Looks for a stream that fires the rule, and for one that just does not. */
export function findWitness(rule: Rule, streams: readonly TestStream[]): Witness {
  const maker = new StreamMaker(rule, streamsOfRule(rule, streams));
  const found = rule.pattern.window === undefined ? ofSteps(maker) : ofWindow(maker);
  const fires = found && shortened(found, maker);
  return {
    rule: rule.id,
    fires: fires && rowsOf(fires, rule),
    justNot: fires && nearMiss(fires, maker),
    ...(rule.lists === undefined ? {} : { listed: LISTED }),
  };
}

function ofSteps(maker: StreamMaker): readonly MadeEvent[] | null {
  const places = shortestWay(maker.rule.pattern.steps, maker.kinds);
  return places === null || places.length === 0 ? null : firing(maker, places);
}

/** What a window asks is asked of many events together. */
function ofWindow(maker: StreamMaker): readonly MadeEvent[] | null {
  for (const made of windowStreams(maker)) {
    if (maker.fires(made)) return made;
    const filled = made.length <= FILLED_MAX ? withFillers(made, maker) : null;
    if (filled !== null) return filled;
  }
  return null;
}

function firing(maker: StreamMaker, places: readonly Place[]): readonly MadeEvent[] | null {
  const asksTime = JSON.stringify(places.map(({ condition }) => condition)).includes('"name":"time"');
  const longest = longestStep(maker.rule, places.length);
  for (const stepMs of [...STEPS_MS, longest].filter((ms) => ms <= longest && Number.isFinite(ms))) {
    for (const hour of asksTime ? HOURS : HOURS.slice(0, 1)) {
      for (const manner of MANNERS) {
        const made = maker.make(places, START_MS + hour * 60 * MINUTE_MS, stepMs, manner);
        if (made === null) continue;
        if (maker.fires(made)) return made;
        const filled = withFillers(made, maker);
        if (filled !== null) return filled;
      }
    }
  }
  return null;
}

/** So that all events are well within every window. */
function longestStep({ pattern }: Rule, events: number): number {
  const { withinMs } = pattern;
  const windows = pattern.steps.flatMap((step) => [step.withinMs, step.gapMs, step.quantifier?.gapMs]);
  const gaps = [pattern.gapMs, ...windows].filter((ms) => ms !== undefined && ms > 0).map((ms) => ms! - 1);
  return Math.max(1, Math.min(...gaps, withinMs ? Math.floor((withinMs - 1) / Math.max(1, events)) : Infinity));
}

/** Events before the first one, for what features ask. */
function withFillers(made: readonly MadeEvent[], maker: StreamMaker): readonly MadeEvent[] | null {
  const { features = [] } = maker.rule;
  if (features.length === 0) return null;
  for (const count of FILLERS) {
    for (const { feature } of features) {
      for (const model of [null, made[0]!.event, made.at(-1)!.event]) {
        const fillers = fillersOf(feature, model, count, made[0]!.event.time, maker);
        const all = fillers && [...fillers, ...made].map((one, seq) => ({ ...one, event: { ...one.event, seq } }));
        if (all !== null && maker.fires(all)) return all;
      }
    }
  }
  return null;
}

function fillersOf(
  feature: Feature,
  model: EngineEvent | null,
  count: number,
  before: number,
  maker: StreamMaker,
): readonly MadeEvent[] | null {
  const stepMs = Math.max(1, Math.min(1000, Math.floor(feature.overMs / (2 * count + 2))));
  const first = before - (feature.lagMs ?? 0) - count * stepMs;
  const fillers: MadeEvent[] = [];
  for (let i = 0; i < count; i++) {
    const time = first + i * stepMs;
    const asked = maker.event(feature.where ?? { op: 'const', value: true }, time, i);
    if (asked === null) return null;
    fillers.push({ step: null, event: model === null ? asked : { ...model, time, fields: { ...model.fields } } });
  }
  return fillers;
}

/** Without the events that it fires without. */
function shortened(events: readonly MadeEvent[], maker: StreamMaker): readonly MadeEvent[] {
  let now = events;
  for (let i = 0; i < now.length; ) {
    const without = now.toSpliced(i, 1);
    if (without.length > 0 && maker.fires(without)) now = without;
    else i++;
  }
  return now;
}

function nearMiss(events: readonly MadeEvent[], maker: StreamMaker): Witness['justNot'] {
  return (
    withForbidden(events, maker) ??
    otherValue(events, maker, ['number']) ??
    otherValue(events, maker, ['string', 'boolean', 'object']) ??
    otherTime(events, maker) ??
    withoutLast(events, maker)
  );
}

function otherValue(events: readonly MadeEvent[], maker: StreamMaker, types: readonly string[]): Witness['justNot'] {
  const { rule } = maker;
  for (const [i, made] of [...events.entries()].reverse()) {
    for (const [field, value] of Object.entries(made.event.fields)) {
      if (!rule.fields.includes(field) || !types.includes(typeof value) || maker.isKey(field)) continue;
      for (const other of maker.othersThan(field, value, made.event)) {
        const changed = events.with(i, withField(made, field, other));
        if (maker.fires(changed)) continue;
        const difference = `${field} of t${i + 1}: ${String(other)} instead of ${value === null ? 'none' : String(value)}`;
        return { events: rowsOf(changed, rule), difference };
      }
    }
  }
  return null;
}

/** With an event that must not happen. */
function withForbidden(events: readonly MadeEvent[], maker: StreamMaker): Witness['justNot'] {
  for (const step of maker.rule.pattern.steps) {
    if (step.kind === 'group' || (step.contiguity !== 'notNext' && step.contiguity !== 'notFollowedBy')) continue;
    for (const [i, { event }] of events.entries()) {
      const forbidden = maker.event(conditionOf(step, maker.kinds), event.time + 1, events.length + 1);
      if (forbidden === null) continue;
      const inserted = events.toSpliced(i + 1, 0, { step: step.name, event: forbidden });
      const changed = inserted.map((made, seq) => ({ ...made, event: { ...made.event, seq } }));
      if (maker.fires(changed)) continue;
      return { events: rowsOf(changed, maker.rule), difference: `${step.name} right after t${i + 1}` };
    }
  }
  return null;
}

/** The last event later, with all after it. */
function otherTime(events: readonly MadeEvent[], maker: StreamMaker): Witness['justNot'] {
  const { rule } = maker;
  for (const [i, { event }] of [...events.entries()].reverse()) {
    const toTheEnd = (rule.pattern.withinMs ?? 0) - (event.time - events[0]!.event.time);
    const shifts = [1, 3, 6, 12, 48].map((hours) => hours * 60 * MINUTE_MS);
    for (const shift of i > 0 && toTheEnd > 0 ? [toTheEnd, ...shifts] : shifts) {
      const changed = events.map((made, j) =>
        j < i ? made : { ...made, event: { ...made.event, time: made.event.time + shift } },
      );
      if (maker.fires(changed)) continue;
      return { events: rowsOf(changed, rule), difference: `t${i + 1} ${shift} ms later` };
    }
  }
  return null;
}

function withField(made: MadeEvent, field: string, value: number | string | boolean): MadeEvent {
  const { event } = made;
  const kind = event.kind !== '' && event.fields[field] === event.kind ? String(value) : event.kind;
  return { ...made, event: { ...event, kind, fields: { ...event.fields, [field]: value } } };
}

function withoutLast(events: readonly MadeEvent[], maker: StreamMaker): Witness['justNot'] {
  const without = events.slice(0, -1);
  if (without.length === 0 || maker.fires(without)) return null;
  return { events: rowsOf(without, maker.rule), difference: `without t${events.length}` };
}

/** Only the fields that the rule reads. */
function rowsOf(events: readonly MadeEvent[], rule: Rule): readonly WitnessEvent[] {
  // Whole weeks, so that times of day and days of the week stay what they are.
  const weeks = Math.max(0, Math.ceil((START_MS - events[0]!.event.time) / WEEK_MS));
  const start = START_MS - weeks * WEEK_MS;
  return events.map(({ step, event }, i) => {
    const fields = Object.entries(event.fields).filter(
      ([name, value]) => value !== null && (rule.fields.includes(name) || value === event.kind),
    );
    return { id: `t${i + 1}`, at: event.time - start, step, fields: Object.fromEntries(fields) };
  });
}

/** A witness for people: rows as tests have them. */
export function formatWitness({ rule, fires, justNot, listed }: Witness): string {
  if (fires === null) return `${rule}: no stream was found that fires it.`;
  const lists = listed === undefined ? [] : [`    # all lists hold ${listed}, and have 100 for each key`];
  const lines = [`${rule}: fires on`, ...lists, ...fires.map(row)];
  if (justNot === null) return [...lines, '  no stream was found that just does not'].join('\n');
  return [...lines, `  but not with ${justNot.difference}`].join('\n');
}

function row({ id, at, step, fields }: WitnessEvent): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `    - {id: ${id}, at: ${at}ms, ${parts.join(', ')}}${step === null ? '' : ` # ${step}`}`;
}
