import { sayTime, sayValue } from '../../rules/explain/say-value.js';
import type { ToldWindow } from '../../rules/explain/story.js';
import type { ExplainedRun, Explanation } from './explanation.js';

/** Partial matches whose time line is shown to people; JSON has more. */
const RUNS_SHOWN = 2;
const WINDOWS_SHOWN = 5;

/** An explanation for people: what was asked, the answer, and a small time line. */
export function showExplanation(explanation: Explanation): string {
  const { pattern, revision, title, keyField, key, at, summary, runs, runsSeen, windows, alerts, notes } = explanation;
  const lines = [
    `${pattern} (${title}, revision ${revision}) for ${keyField} ${key} at ${sayTime(at)} UTC`,
    '',
    summary,
  ];
  const matched = runs.filter(({ end }) => end.why === 'matched');
  for (const run of matched.slice(0, RUNS_SHOWN)) lines.push('', ...showRun(run, 'The match'));
  if (matched.length === 0)
    for (const alert of alerts)
      for (const { step, events } of alert.steps)
        for (const event of events) lines.push(line(event.eventTime, `${step}  [${event.id}]`));
  if (alerts.length === 0) {
    runs.slice(0, RUNS_SHOWN).forEach((run, i) => {
      const first = runsSeen === 1 ? 'The partial match' : 'The partial match that came farthest';
      lines.push('', ...showRun(run, i === 0 ? first : 'The next'));
    });
    if (runsSeen > RUNS_SHOWN) lines.push('', `… and ${runsSeen - RUNS_SHOWN} more that came no farther`);
  }
  if (windows.length > 0) lines.push('', ...windows.slice(0, WINDOWS_SHOWN).map(showWindow));
  if (notes.length > 0) lines.push('', ...notes.map((note) => `note: ${note}`));
  return lines.join('\n');
}

function showRun({ reached, of, timeline }: ExplainedRun, which: string): readonly string[] {
  return [
    `${which}, step ${reached} of ${of}:`,
    ...timeline.map(({ time, text, event }) => line(time, event === undefined ? text : `${text}  [${event.id}]`)),
  ];
}

function showWindow({ start, end, values, having }: ToldWindow): string {
  const told = Object.entries(values)
    .filter(([name]) => !['windowStart', 'windowEnd', 'firstTime', 'lastTime'].includes(name))
    .map(([name, value]) => `${name} ${sayValue(value)}`);
  return line(start, `to ${sayTime(end)}: ${told.join(', ')}${having === null ? '' : ` – ${having.said}`}`);
}

const line = (time: number, text: string): string => `  ${sayTime(time).padEnd(23)}  ${text}`;
