import { canonicalJson, type WindowForm } from '../../engine/index.js';
import type { EventField, KnownNumber } from '../schema.js';
import { type Statistic, typeOfStatistic } from './read-statistic.js';

/** An aggregate that was read; `null`: with a mistake, which is reported where it stands. */
export type NamedStatistic = readonly [name: string, statistic: Statistic | null];

/** What is known of what comes out of a window, by name. A window that ends has taken an event. */
export function windowResult(form: WindowForm | null, aggregates: readonly NamedStatistic[]): Map<string, EventField> {
  const fields = new Map(timesOf(form).map((field) => [field.name, field]));
  for (const [name, statistic] of aggregates) fields.set(name, fieldOf(name, statistic, aggregates));
  return fields;
}

/** The shortest time between two events that are not at one time, in ms. */
const TICK = 1;

function timesOf(form: WindowForm | null): readonly EventField[] {
  const length = form === null ? Number.POSITIVE_INFINITY : lengthOf(form);
  // The end is not in the window.
  const inside = length - TICK;
  const field = (name: string, upTo: Readonly<Record<string, number>>): EventField => ({
    ...{ name, type: 'number', optional: false },
    known: { integer: true, upTo },
  });
  return [
    field('windowStart', { windowEnd: length, firstTime: inside, lastTime: inside }),
    field('windowEnd', {}),
    field('firstTime', { lastTime: inside, windowEnd: length }),
    field('lastTime', { windowEnd: length }),
  ];
}

function lengthOf(form: WindowForm): number {
  return form.kind === 'session' ? (form.maxMs ?? Number.POSITIVE_INFINITY) : form.sizeMs;
}

/** They are there where no event counts. */
const NEVER_MISSING: ReadonlySet<string> = new Set(['count', 'sum', 'distinct']);

function fieldOf(name: string, statistic: Statistic | null, all: readonly NamedStatistic[]): EventField {
  // Known even where it is wrong, so that what names it is not told to be wrong as well.
  if (statistic === null) return { name, type: 'number', optional: true };
  const { type, symbols } = typeOfStatistic(statistic);
  const known = type === 'number' || type === 'unknown' ? knownOf(statistic, all) : undefined;
  return {
    ...{ name, type: type === 'unknown' ? 'number' : type },
    ...(symbols === undefined ? {} : { symbols }),
    optional: !NEVER_MISSING.has(statistic.fn) && !countsAny(statistic),
    ...(known === undefined ? {} : { known }),
  };
}

/** Whether every event of the window counts. */
const countsAny = ({ field, where }: Statistic): boolean => where === undefined && field?.optional !== true;

function knownOf(statistic: Statistic, all: readonly NamedStatistic[]): KnownNumber | undefined {
  const { fn } = statistic;
  const above = all.flatMap(([name, other]) => (other !== null && isUpTo(statistic, other) ? [name] : []));
  const upTo = Object.fromEntries(above.map((name) => [name, Number.POSITIVE_INFINITY]));
  if (fn === 'count' || fn === 'distinct') return { integer: true, low: countsAny(statistic) ? 1 : 0, upTo };
  if (fn === 'stddev') return { low: 0 };
  return fn === 'min' ? { upTo } : undefined;
}

/** Whether the first is never above the second, whatever the events are. */
function isUpTo(one: Statistic, other: Statistic): boolean {
  if (one === other) return false;
  const sameEvents = canonicalJson(one.where ?? null) === canonicalJson(other.where ?? null);
  if (other.fn === 'count') {
    const isFewer = other.where === undefined || sameEvents;
    return isFewer && (one.fn === 'distinct' || one.fn === 'count');
  }
  return one.fn === 'min' && other.fn === 'max' && sameEvents && one.field?.name === other.field?.name;
}
