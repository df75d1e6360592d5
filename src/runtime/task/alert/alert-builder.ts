import { createHash } from 'node:crypto';
import type { Match, WindowResult } from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import { scoreOf } from '../../../rules/score.js';
import type { Alert, AlertEvent, EventValues } from '../../ports/alert.js';
import type { RecordPlace } from '../../ports/log.js';
import type { RecordedEvent } from '../source-event.js';
import { type ValuesSource, valuesOf } from './event-values.js';
import { renderMessage } from './message.js';

export interface AlertSource extends ValuesSource {
  /** Where its record is, or was before it was forwarded. */
  placeOf(event: RecordedEvent): RecordPlace;
  /** Field of the event's stream that holds its own id; `null`: none does. */
  idFieldOf(event: RecordedEvent): string | null;
  /** All fields of the event's record, JSON-ready. */
  decodeWhole(event: RecordedEvent): Readonly<Record<string, unknown>>;
}

/** Makes the alert of a match: a pure function of the rule, the key and the matched records. */
export function buildAlert(rule: Rule, key: string, match: Match, at: number, source: AlertSource): Alert {
  const values = valuesOf(rule, { ...match, key, at }, source);
  const steps = match.steps.map((s) => ({
    step: s.name,
    events: s.events.map((e) => alertEvent(e as RecordedEvent, source, values.get(e))),
  }));
  const { window } = match;
  const pseudonyms = source.pseudonyms?.();
  const id = window === undefined ? alertId(rule.id, key, steps) : windowId(rule.id, key, window);
  const { features } = match;
  const times = window ? [window.first, window.last] : match.steps.flatMap((s) => s.events.map((e) => e.time));
  return {
    id: pseudonyms?.id(id) ?? id,
    patternId: rule.id,
    title: rule.title,
    revision: rule.revision,
    severity: rule.alert.severity,
    score: scoreOf(rule, match),
    key: pseudonyms?.key(rule, key) ?? key,
    keyField: rule.key,
    firstEventTime: Math.min(...times),
    lastEventTime: Math.max(...times),
    detectedAt: at,
    message: renderMessage(
      rule.alert.message,
      match,
      key,
      pseudonyms && ((...part) => pseudonyms.shown(rule, ...part)),
    ),
    ...(features === undefined ? {} : { features: pseudonyms?.features(rule, features) ?? features }),
    steps,
  };
}

/** An event with all that its record has. */
export function alertEvent(event: RecordedEvent, source: AlertSource, told?: EventValues): AlertEvent {
  const named = nameEvent(event, source);
  const fields = source.decodeWhole(event);
  const pseudonyms = source.pseudonyms?.();
  const values = told && { values: told };
  if (pseudonyms === undefined) return { ...named, fields, ...values };
  const id = pseudonyms.isPersonal(source.idFieldOf(event)) ? pseudonyms.of(named.id) : named.id;
  return { ...named, id, fields: pseudonyms.fields(fields), ...values };
}

/** What an event is called, and where its record is. */
export function nameEvent(
  event: RecordedEvent,
  source: Pick<AlertSource, 'placeOf' | 'idFieldOf'>,
): Omit<AlertEvent, 'fields'> {
  const { topic, partition, offset } = source.placeOf(event);
  const idField = source.idFieldOf(event);
  const id = idField === null ? null : event.fields[idField];
  return {
    id: String(id ?? `${topic}-${partition}-${offset}`),
    eventTime: event.time,
    kind: event.kind,
    ...{ topic, partition, offset },
  };
}

const alertId = (pattern: string, key: string, steps: Alert['steps']): string =>
  idOf([pattern, key, steps.map((s) => [s.step, s.events.map((e) => e.id)])]);

/** A key has one window of a rule that begins and ends at these times. */
const windowId = (pattern: string, key: string, { start, end }: WindowResult): string =>
  idOf([pattern, key, ['window', start, end]]);

/** 32 hex digits of the SHA-256 over what makes this alert this one. JSON keeps the parts apart. */
export const idOf = (identity: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
