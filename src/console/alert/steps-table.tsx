import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { Alert, AlertEvent, StepOutline } from '../api/types.js';
import { duration, value } from '../lib/format.js';
import { Time } from '../parts/basics.js';

interface StepsTableProps {
  readonly alert: Alert;
  readonly conditions: ReadonlyMap<string, StepOutline>;
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}

/** Each step with its condition, and its events with the values that the condition looked at. */
export function StepsTable({ alert, conditions, chosen, onChoose }: StepsTableProps) {
  return (
    <ol class="steps">
      {alert.steps.map(({ step, events }) => {
        const condition = conditions.get(step);
        return (
          <li key={step}>
            <div class="step-head">
              <strong>{step}</strong>
              {condition?.subtype && <span class="badge calm">{condition.subtype}</span>}
              {condition?.times && <span class="badge calm">{condition.times} times</span>}
              {condition !== undefined && <code>{condition.where ?? 'any event'}</code>}
            </div>
            {events.map((event) => (
              <EventRow
                key={event.id}
                event={event}
                since={event.eventTime - alert.firstEventTime}
                read={condition?.fields ?? []}
                keyField={alert.keyField}
                chosen={event.id === chosen}
                onChoose={onChoose}
              />
            ))}
          </li>
        );
      })}
    </ol>
  );
}

interface EventRowProps {
  readonly event: AlertEvent;
  readonly since: number;
  readonly read: readonly string[];
  readonly keyField: string;
  readonly chosen: boolean;
  readonly onChoose: (id: string) => void;
}

function EventRow({ event, since, read, keyField, chosen, onChoose }: EventRowProps) {
  const [open, setOpen] = useState(false);
  const fields = Object.entries(event.fields);
  const values = Object.entries(event.values ?? {});
  // Of an alert that was made before values were told, the fields that the condition names.
  const told = values.length > 0 ? values : fields.filter(([name]) => read.includes(name));
  const shown = told.length > 0 ? told : fields.filter(([name, of]) => of !== null && name !== keyField).slice(0, 3);
  return (
    <div class={`step-event ${chosen ? 'chosen' : ''}`}>
      <div class="event-line">
        <div class="row grow">
          <span class="number soft when">{since === 0 ? 'first' : `+${duration(since)}`}</span>
          <span class="badge calm">{event.kind}</span>
          {shown.map(([name, of]) => (
            <span key={name} class={`pair ${told.length > 0 ? 'told' : ''}`}>
              <span class="faint">{name}</span> <b class="mono">{value(of)}</b>
            </span>
          ))}
        </div>
        <button
          type="button"
          class="button plain more"
          aria-expanded={open}
          onClick={() => {
            setOpen(!open);
            onChoose(event.id);
          }}
        >
          {open ? 'Less' : `All ${fields.length} fields`}
        </button>
      </div>
      {open && (
        <dl class="facts fields">
          <dt>id</dt>
          <dd class="mono">{event.id}</dd>
          <dt>event time</dt>
          <dd>
            <Time ms={event.eventTime} />
          </dd>
          <dt>record</dt>
          <dd class="mono">
            {event.topic}/{event.partition} @ {event.offset}
          </dd>
          {fields.map(([name, of]) => (
            <Fragment key={name}>
              <dt class="mono">{name}</dt>
              <dd class={`mono ${read.includes(name) ? 'told' : ''}`}>{value(of)}</dd>
            </Fragment>
          ))}
        </dl>
      )}
    </div>
  );
}
