import { sayTime } from '../../rules/explain/say-value.js';
import type { RunEnd, ToldEvent, ToldRun, ToldWindow } from '../../rules/explain/story.js';
import { longestMs } from '../../rules/longest.js';
import type { Rule } from '../../rules/rule.js';
import { formatDuration } from '../../rules/source/duration.js';
import type { Alert } from '../ports/alert.js';
import type { ExplainedEvent, ExplainedRun, Explanation, TimelineEntry } from './explanation.js';

type Run = ToldRun<ExplainedEvent>;
type Event = ToldEvent<ExplainedEvent>;

/** What happened to a partial match, in order of time, and how it ended in one sentence. */
export function sayRun(run: Run, rule: Rule): ExplainedRun {
  const taken = run.taken.map(
    ({ step, event, condition }): TimelineEntry => ({
      time: event.eventTime,
      text: condition === null ? step : `${step}: ${condition.said}`,
      event,
    }),
  );
  const nearest = run.awaited.flatMap(({ step, passed, nearest: near }): readonly TimelineEntry[] => {
    if (near === null || near.condition === null || near.condition.holds) return [];
    const which = passed === 1 ? 'passed over' : `the nearest of ${count(passed, 'event')} passed over`;
    return [{ time: near.event.eventTime, text: `not ${step}, ${which}: ${near.condition.said}`, event: near.event }];
  });
  const { end } = run;
  const timeline = [...taken, ...nearest].sort((a, b) => a.time - b.time);
  if (end.at !== null && end.why !== 'open') {
    const by = end.event === undefined ? {} : { event: end.event.event };
    timeline.push({ time: end.at, text: sayEntry(run, rule), ...by });
  }
  return { ...run, said: `${sayReached(run)} ${sayEnded(run, rule)}`, timeline };
}

function sayReached({ reached, of, taken }: Run): string {
  const last = taken.at(-1)!;
  const events = taken.length === 1 ? '' : ` with ${count(taken.length, 'event')}, the last of them`;
  return `It came to step ${reached} of ${of} (${last.step})${events} at ${sayTime(last.event.eventTime)}.`;
}

/** The end as an entry of the time line, which has its time and event apart. */
function sayEntry(run: Run, rule: Rule): string {
  const { why, step, event } = run.end;
  if (event === undefined) return sayEnd(run, rule).replace(/ at \d{4}-[^,(]*/, '');
  const because = event.condition === null ? '' : `: ${event.condition.said}`;
  if (why === 'negation') return `${step}, which must not come${because}`;
  return why === 'until'
    ? `until ended the loop ${step}${because}`
    : `not ${step ?? 'what'}, which had to be next${because}`;
}

/** A whole sentence on the end, and what came nearest. */
function sayEnded(run: Run, rule: Rule): string {
  const said = sayEnd(run, rule);
  const near = run.awaited.flatMap(({ step, passed, nearest }): readonly string[] => {
    if (nearest === null || nearest.condition === null || nearest.condition.holds) return [];
    const of = passed === 1 ? 'The only event meanwhile' : `Nearest to ${step} of ${passed} events meanwhile`;
    return [` ${of}, ${sayEvent(nearest)}: ${nearest.condition.said}.`];
  });
  return `${capital(said)}.${run.end.why === 'within' || run.end.why === 'gap' || run.end.why === 'open' ? near.join('') : ''}`;
}

function sayEnd({ end, awaited, forbidden }: Run, rule: Rule): string {
  const missing = awaited.map(sayMissing).join(' or ');
  const without = missing === '' ? '' : `, and ${missing} had not come`;
  const after = end.at === null ? '' : ` at ${sayTime(end.at)}`;
  switch (end.why) {
    case 'within':
      return `time ran out${after}, after the ${formatDuration(longestMs(rule.pattern))} of within${without}`;
    case 'gap':
      return `the gap ran out${after}${without}`;
    case 'negation':
      return `it met ${end.step}, which must not come,${after}${sayWhy(end)}`;
    case 'until':
      return `the loop ${end.step} was ended by its until${after}${sayWhy(end)}`;
    case 'broken':
      return `the next event had to be ${end.step ?? 'another'}, and was not${sayWhy(end)}`;
    case 'skipped':
      return `another match made it void${after} (skip: ${rule.pattern.skip?.strategy ?? 'noSkip'})`;
    case 'limit':
      return `it was dropped${after}, because there were more partial matches than the rule's limit`;
    case 'matched':
      return `it was complete${after}`;
    case 'open': {
      const until = end.at === null ? '' : ` until ${sayTime(end.at)}`;
      if (missing === '') return `it fires unless ${forbidden.join(' or ') || 'what must not come'} comes${until}`;
      return `it waits for ${missing}${until}`;
    }
  }
}

/** `cash`, or `3 more of burst` (of 10). */
const sayMissing = ({ step, missing, needs }: Run['awaited'][number]): string =>
  needs === 1 || missing === needs ? step : `${missing} more of ${needs} ${step}`;

const sayWhy = ({ event }: RunEnd<ExplainedEvent>): string => {
  if (event === undefined) return '';
  return event.condition === null ? ` (${sayEvent(event)})` : ` (${sayEvent(event)}: ${event.condition.said})`;
};

const sayEvent = ({ event }: Event): string => `${event.id} at ${sayTime(event.eventTime)}`;

/** The answer. */
export function saySummary(told: Omit<Explanation, 'summary'>, rule: Rule): string {
  const { alerts, events, runs, begins, windows, from, at, key, keyField } = told;
  if (alerts.length > 0) return `It fired: ${alerts.map(sayAlert).join('; ')}.`;
  if (events === 0) {
    const range = from === null ? `up to ${sayTime(at)}` : `from ${sayTime(from)} to ${sayTime(at)}`;
    return `It did not fire: there is no event of ${keyField} ${key} that the rule reads ${range}.`;
  }
  if (rule.pattern.window !== undefined) return `It did not fire. ${sayWindows(windows)}`;
  const [best] = runs;
  if (best !== undefined) {
    const others = told.runsSeen - 1;
    const more = others > 0 ? ` ${count(others, 'other partial match', 'other partial matches')} came no farther.` : '';
    return `It did not fire. ${best.said.replace(/^It/, 'A partial match')}${more}`;
  }
  const said = begins.map(({ step, passed, nearest }) => {
    if (nearest === null || nearest.condition === null) return `Nothing began: no event was there to be ${step}.`;
    return `Nothing began: none of ${count(passed, 'event')} was ${step}. The nearest, ${sayEvent(nearest)}: ${nearest.condition.said}.`;
  });
  return ['It did not fire.', ...said].join(' ');
}

const sayAlert = ({ id, message, detectedAt }: Alert): string => `${message} (${id}, at ${sayTime(detectedAt)})`;

function sayWindows(windows: readonly ToldWindow[]): string {
  const [nearest] = windows;
  if (nearest === undefined) return 'No window ended in that time.';
  const why = nearest.having === null ? '' : `: ${nearest.having.said}`;
  const which = windows.length === 1 ? 'The only window' : `The nearest of ${windows.length} windows`;
  return `${which}, ${sayTime(nearest.start)} to ${sayTime(nearest.end)}${why}.`;
}

const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
