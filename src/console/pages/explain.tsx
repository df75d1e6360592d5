import * as api from '../api/calls.js';
import type { ConditionPart, ExplainedRun, Explanation } from '../api/types.js';
import { dayAndTime, plural } from '../lib/format.js';
import { useResource, useTitle } from '../lib/hooks.js';
import { go, type Place, to } from '../lib/router.js';
import { Empty, Loaded, Note, Panel, SeverityBadge, Time } from '../parts/basics.js';

/** Why there was an alert of a key, or why there was none. */
export default function ExplainPage({ place: { query } }: { readonly place: Place }) {
  useTitle('Why not?');
  const asked = { key: query.get('key') ?? '', pattern: query.get('pattern') ?? '', at: query.get('at') ?? '' };
  const alert = query.get('alert');
  const patterns = useResource((signal) => api.patterns(signal), []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const at = String(form.get('at') ?? '');
    go(
      to(['explain'], {
        key: String(form.get('key')).trim(),
        pattern: String(form.get('pattern')),
        ...(at === '' ? {} : { at: new Date(at).toISOString() }),
      }),
    );
  };
  return (
    <div class="page">
      <div class="page-head">
        <h1>Why not?</h1>
        <span class="faint">why a pattern fired for a key, or how near it came</span>
      </div>
      <form class="row ask" onSubmit={submit} key={`${asked.key} ${asked.pattern} ${asked.at}`}>
        <label class="field">
          Key
          <input class="input" name="key" required defaultValue={asked.key} placeholder="such as an account" />
        </label>
        <label class="field">
          Pattern
          <select class="input" name="pattern" required>
            <option value="">Choose a pattern</option>
            {(patterns.data ?? []).map(({ id, title }) => (
              <option key={id} value={id} selected={id === asked.pattern}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          Around (event time; empty: now)
          <input class="input" name="at" type="datetime-local" step="1" defaultValue={localTime(asked.at)} />
        </label>
        <button type="submit" class="button main-action">
          Explain
        </button>
      </form>
      {alert !== null ? (
        <Answer ask={{ alert }} />
      ) : asked.key !== '' && asked.pattern !== '' ? (
        <Answer ask={asked} />
      ) : (
        <section class="panel">
          <Empty title="Name a key and a pattern">
            <p>The events of the key are read again from the log, and followed through the pattern.</p>
          </Empty>
        </section>
      )}
    </div>
  );
}

/** As an input of a local time has it. */
function localTime(at: string): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return '';
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Without a time: as of now. */
function Answer({ ask }: { readonly ask: api.ExplainQuery }) {
  const explanation = useResource(
    (signal) => api.explain('alert' in ask || ask.at !== '' ? ask : { ...ask, at: new Date().toISOString() }, signal),
    [ask],
  );
  return (
    <>
      {'alert' in ask && (
        <p class="soft">
          Of the alert{' '}
          <a class="linked mono" href={to(['alerts', ask.alert])}>
            {ask.alert.slice(0, 12)}
          </a>
        </p>
      )}
      <Loaded of={explanation}>{(data) => <Story of={data} />}</Loaded>
    </>
  );
}

function Story({ of }: { readonly of: Explanation }) {
  return (
    <>
      <Note tone={of.fired ? 'high' : undefined}>{of.summary}</Note>
      {of.notes.map((note) => (
        <Note key={note}>{note}</Note>
      ))}
      {of.alerts.length > 0 && (
        <Panel title="Alerts" bare>
          <ul class="related">
            {of.alerts.map(({ id, severity, score, message, detectedAt }) => (
              <li key={id}>
                <a href={to(['alerts', id])}>
                  <SeverityBadge severity={severity} score={score} />
                  <span class="cut grow">{message}</span>
                  <span class="faint">
                    <Time ms={detectedAt} />
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {of.runs.map((run, n) => (
        <RunPanel key={n} run={run} n={n + 1} />
      ))}
      {of.runs.length === 0 && of.begins.length > 0 && (
        <Panel title="Nothing began">
          {of.begins.map(({ step, passed, nearest }) => (
            <div key={step} class="stack tight">
              <p>
                <strong>{step}</strong> <span class="faint">{plural(passed, 'event')} passed over</span>
              </p>
              {nearest?.condition && <Condition part={nearest.condition} />}
            </div>
          ))}
        </Panel>
      )}
      <p class="faint">
        {plural(of.events, 'event')} of {of.keyField} <span class="mono">{of.key}</span> looked at,{' '}
        {plural(of.runsSeen, 'partial match', 'partial matches')} seen.
      </p>
    </>
  );
}

function RunPanel({ run, n }: { readonly run: ExplainedRun; readonly n: number }) {
  return (
    <Panel title={`Partial match ${n}`} note={`${run.reached} of ${run.of} steps`}>
      <div class="stack tight">
        <div class="bar" aria-hidden="true">
          <i style={{ width: `${(run.reached / Math.max(1, run.of)) * 100}%` }} />
        </div>
        <p>{run.said}</p>
        <ol class="story">
          {run.timeline.map(({ time, text }) => (
            <li key={`${time}${text}`}>
              <span class="faint number nowrap">{dayAndTime(time)}</span> <span>{text}</span>
            </li>
          ))}
        </ol>
        {run.awaited.map(
          ({ step, nearest }) =>
            nearest?.condition && (
              <div key={step} class="stack tight">
                <h3>
                  {step}: the event that came nearest, {nearest.event.id}
                </h3>
                <Condition part={nearest.condition} />
              </div>
            ),
        )}
      </div>
    </Panel>
  );
}

/** A condition, part by part, with what held and what did not. */
function Condition({ part }: { readonly part: ConditionPart }) {
  return (
    <ul class="condition">
      <li class={part.holds ? 'holds' : 'fails'}>
        <span aria-hidden="true">{part.holds ? '✓' : '✗'}</span>
        <span>
          <code>{part.condition}</code> {part.kind === 'test' && <span class="soft">{part.said}</span>}
          <span class="unseen">{part.holds ? 'holds' : 'does not hold'}</span>
        </span>
      </li>
      {part.parts?.map((inner) => (
        <li key={inner.condition} class="inner">
          <Condition part={inner} />
        </li>
      ))}
    </ul>
  );
}
