import type { Alert } from '../../runtime/ports/alert.js';
import type { Measured } from '../measure.js';
import { timeLine } from './chart.js';
import { escaped, moment, section, table } from './html.js';

const FIELDS_MAX = 12;
const EVENTS_MAX = 30;
const LANES = 4;

/** Alerts of each rule with the events that they are made of. */
export function samples({ done }: Measured): string {
  const hasLabels = done.labels !== null;
  const parts = done.plan.sets[0].rules.map((index) => {
    const found = done.findings.samples.get(index);
    if (found === undefined) return '';
    const shown = [
      ...found.right.map((alert) => sample(alert, 'fraud', '')),
      ...found.wrong.map((alert) => sample(alert, hasLabels ? 'genuine' : 'alert', hasLabels ? 'wrong' : '')),
    ];
    const { id, title } = done.plan.rules[index]!;
    return `<h3>${escaped(title === id ? id : `${id}: ${title}`)}</h3>${shown.join('')}`;
  });
  return parts.every((part) => part === '') ? '' : section('Sample alerts', ...parts);
}

function sample(alert: Alert, tag: string, kind: string): string {
  const events = alert.steps
    .flatMap(({ step, events: own }, place) => own.map((event) => ({ step, place, event })))
    .sort((a, b) => a.event.eventTime - b.event.eventTime)
    .slice(0, EVENTS_MAX);
  const isTime = (name: string): boolean => events.every(({ event }) => event.fields[name] === event.eventTime);
  const all = [...new Set(events.flatMap(({ event }) => Object.keys(event.fields)))];
  // The field with the event time is the column before them.
  const names = all.filter((name) => !isTime(name)).slice(0, FIELDS_MAX);
  const line =
    events.length < 2
      ? ''
      : timeLine(
          events.map(({ step, place, event }) => ({
            time: event.eventTime,
            text: `${step}: ${moment(event.eventTime)}`,
            lane: Math.min(place, LANES - 1),
          })),
        );
  const rows = events.map(({ step, event }) => [
    step,
    moment(event.eventTime),
    ...names.map((name) => shownValue(event.fields[name])),
  ]);
  const head = `<span class="tag ${kind}">${tag}</span>${escaped(moment(alert.detectedAt))} · ${escaped(alert.keyField)} ${escaped(alert.key)} · score ${escaped(String(Number(alert.score.toFixed(2))))} · ${escaped(alert.message)}`;
  return `<details><summary>${head}</summary>${line}${table(['step', 'event time', ...names], rows, 'dense')}<p><code>${escaped(alert.id)}</code></p></details>`;
}

function shownValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
