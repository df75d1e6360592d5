import { useState } from 'preact/hooks';
import { FeaturesPanel } from '../alert/features-panel.js';
import { Feedback } from '../alert/feedback.js';
import { Related } from '../alert/related.js';
import { StepsTable } from '../alert/steps-table.js';
import { TimeLineDrawing } from '../alert/time-line-drawing.js';
import * as api from '../api/calls.js';
import { ApiError } from '../api/client.js';
import type { Alert, AlertDetail, Outline, StepOutline } from '../api/types.js';
import { duration, plural } from '../lib/format.js';
import { type Resource, useNow, useResource, useTitle } from '../lib/hooks.js';
import { go, to } from '../lib/router.js';
import { useShortcuts } from '../lib/shortcuts.js';
import { Loaded, Note, Panel, SeverityBadge, StateBadge, Time } from '../parts/basics.js';

export function AlertPage({ id }: { readonly id: string }) {
  const alert = useResource((signal) => api.alert(id, signal), [id]);
  useTitle(alert.data === null ? 'Alert' : `${alert.data.title}, ${alert.data.key}`);
  const shortcuts = { Escape: () => history.back(), u: () => go(to(['alerts'])) };
  useShortcuts(shortcuts);
  return (
    <div class="page">
      <nav aria-label="Way back" class="faint">
        <a class="linked" href={to(['alerts'])}>
          Alerts
        </a>{' '}
        / <span class="mono">{id.slice(0, 12)}</span>
      </nav>
      {alert.data === null && <h1>Alert</h1>}
      <Loaded of={alert}>{(data) => <Shown alert={data} onJudged={alert.reload} />}</Loaded>
    </div>
  );
}

/** The rule as it was when it fired; where nobody knows that any more, as it is now. */
function useOutline({ patternId, revision }: Alert): Resource<Outline | null> {
  return useResource(
    async (signal) => {
      const then = await api.patternVersion(patternId, revision, signal).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      });
      const { file, yaml } = then ?? (await api.pattern(patternId, signal));
      return yaml === null ? null : api.outline({ file, text: yaml }, signal);
    },
    [patternId, revision],
  );
}

function Shown({ alert, onJudged }: { readonly alert: AlertDetail; readonly onJudged: () => void }) {
  const now = useNow(5_000);
  const outline = useOutline(alert);
  const [chosen, setChosen] = useState<string | null>(null);
  const events = alert.steps.reduce((sum, step) => sum + step.events.length, 0);
  const rule = outline.data?.rule ?? null;
  const conditions = new Map((rule?.steps ?? []).map((step): [string, StepOutline] => [step.name, step]));
  return (
    <>
      <header class="alert-head">
        <div class="row">
          <SeverityBadge severity={alert.severity} score={alert.score} />
          <h1>{alert.title}</h1>
          <StateBadge state={alert.state} />
        </div>
        <p class="sentence">{alert.message}</p>
      </header>
      <div class="columns">
        <div class="stack">
          <Panel
            title="What happened"
            note={`${plural(events, 'event')} in ${duration(alert.lastEventTime - alert.firstEventTime)}`}
          >
            <TimeLineDrawing steps={alert.steps} chosen={chosen} onChoose={setChosen} />
          </Panel>
          <Panel
            title="Why it fired"
            note={
              rule !== null && rule.revision === alert.revision ? 'each step, its condition and the values it saw' : ''
            }
            bare
          >
            {rule !== null && rule.revision !== alert.revision && (
              <div class="body">
                <Note>
                  The pattern has been changed since, and its text of then is not known any more: conditions are those
                  of today, values those of the alert. <a href={to(['revisions'])}>See revisions</a>
                </Note>
              </div>
            )}
            <StepsTable alert={alert} conditions={conditions} chosen={chosen} onChoose={setChosen} />
          </Panel>
          <FeaturesPanel alert={alert} />
        </div>
        <aside class="stack" aria-label="About this alert">
          <Panel title="Facts">
            <dl class="facts">
              <dt>{alert.keyField}</dt>
              <dd class="mono">
                <a class="linked" href={to(['alerts'], { key: alert.key })}>
                  {alert.key}
                </a>
              </dd>
              <dt>Pattern</dt>
              <dd>
                <a class="linked" href={to(['patterns', alert.patternId])}>
                  {alert.patternId}
                </a>
              </dd>
              <dt>Detected</dt>
              <dd>
                <Time ms={alert.detectedAt} />{' '}
                <span class="faint">
                  (<Time ms={alert.detectedAt} now={now} />)
                </span>
              </dd>
              <dt>Explained</dt>
              <dd>
                <a class="linked" href={to(['explain'], { alert: alert.id })}>
                  event by event
                </a>
              </dd>
              <dt>Revision</dt>
              <dd class="mono">{alert.revision.slice(0, 12)}</dd>
              <dt>Alert</dt>
              <dd class="mono">{alert.id}</dd>
            </dl>
          </Panel>
          <Feedback alert={alert} onJudged={onJudged} />
          <Related alert={alert} now={now} />
        </aside>
      </div>
    </>
  );
}
