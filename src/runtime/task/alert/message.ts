import type { Match } from '../../../engine/index.js';
import type { MessagePart } from '../../../rules/rule.js';
import { formatDuration } from '../../../rules/source/duration.js';

/** What is written in place of a value. */
export type Shown = (part: MessagePart, value: unknown) => unknown;

/** Fills a rule's message with the values of a match. A value that is missing is written as a dash. */
export function renderMessage(
  parts: readonly MessagePart[],
  match: Match,
  key: string,
  shown: Shown = (_, value) => value,
): string {
  const write = (part: MessagePart): string =>
    part.kind === 'text' ? part.text : formatValue(shown(part, valueIn(part, match, key)));
  return parts.map(write).join('');
}

const MISSING = '–';

function valueIn(part: Exclude<MessagePart, { kind: 'text' }>, match: Match, key: string): unknown {
  switch (part.kind) {
    case 'key':
      return key;
    case 'value':
      return match.values?.[part.index];
    case 'duration':
      return durationOf(match);
    case 'field': {
      const event = match.steps.find((s) => s.name === part.step)?.events.at(part.index);
      return event?.fields[part.field];
    }
    case 'aggregate':
      return aggregate(part, match);
  }
}

function aggregate(part: Extract<MessagePart, { kind: 'aggregate' }>, match: Match): number | undefined {
  const events = match.steps.find((s) => s.name === part.step)?.events ?? [];
  if (part.fn === 'count') return events.length;
  const values = events.map((e) => e.fields[part.field ?? '']).filter((v) => typeof v === 'number');
  const total = values.reduce((a, b) => a + b, 0);
  if (part.fn === 'sum') return total;
  if (values.length === 0) return undefined;
  if (part.fn === 'avg') return total / values.length;
  return part.fn === 'min' ? Math.min(...values) : Math.max(...values);
}

/** Numbers with at most two decimals and no thousands separators: the same text everywhere. */
function formatValue(value: unknown): string {
  if (value === undefined || value === null) return MISSING;
  if (typeof value !== 'number') return String(value);
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

function durationOf(match: Match): string {
  if (match.window !== undefined) return formatDuration(match.window.last - match.window.first);
  const times = match.steps.flatMap((s) => s.events.map((e) => e.time));
  return formatDuration(Math.max(...times) - Math.min(...times));
}
