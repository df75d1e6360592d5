import type { NearMiss } from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { NearMissRecord } from '../../ports/near-miss.js';
import type { RecordedEvent } from '../source-event.js';
import { type AlertSource, alertEvent, idOf } from './alert-builder.js';
import { valuesOf } from './event-values.js';

/** Makes the record of a near miss: a pure function of the rule, the key and the records. */
export function buildNearMiss(rule: Rule, key: string, nearMiss: NearMiss, source: AlertSource): NearMissRecord {
  const { by, missing, time, event } = nearMiss;
  const values = valuesOf(rule, { steps: nearMiss.steps, key, at: time }, source);
  const steps = nearMiss.steps.map(({ name, events }) => ({
    step: name,
    events: events.map((of) => alertEvent(of as RecordedEvent, source, values.get(of))),
  }));
  const times = nearMiss.steps.flatMap(({ events }) => events.map((of) => of.time));
  const ids = steps.map(({ step, events }) => [step, events.map(({ id }) => id)]);
  const id = idOf([rule.id, key, 'near miss', ids]);
  const pseudonyms = source.pseudonyms?.();
  return {
    id: pseudonyms?.id(id) ?? id,
    ...{ patternId: rule.id, title: rule.title, revision: rule.revision },
    ...{ key: pseudonyms?.key(rule, key) ?? key, keyField: rule.key, reason: by, missing },
    firstEventTime: Math.min(...times),
    lastEventTime: Math.max(...times),
    endedAt: time,
    message: say(rule, nearMiss),
    steps,
    ...(event === null ? {} : { endedBy: alertEvent(event as RecordedEvent, source) }),
  };
}

function say({ title }: Rule, { by, missing }: NearMiss): string {
  const step = missing.join(' or ');
  if (by === 'negation') return `${title}: all but that ${step} came, which must not`;
  return `${title}: all but ${step}, which did not come before the ${by === 'gap' ? 'gap' : 'window'} ran out`;
}
