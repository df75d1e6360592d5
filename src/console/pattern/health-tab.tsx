import * as api from '../api/calls.js';
import type { PatternDetail } from '../api/types.js';
import { duration, number, percent } from '../lib/format.js';
import { useNow, useResource } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { Empty, Loaded, Panel, SeverityBadge, Time } from '../parts/basics.js';
import { DayChart, perDay } from './day-chart.js';
import { Health } from './pattern-list.js';

const SHOWN = 12;

export function HealthTab({ pattern }: { readonly pattern: PatternDetail }) {
  const { id, health } = pattern;
  const now = useNow(5_000);
  const alerts = useResource((signal) => api.alerts({ pattern: id, limit: 1000 }, signal), [id], 10_000);
  return (
    <>
      <dl class="figures">
        <div>
          <dt>State</dt>
          <dd>
            <Health pattern={pattern} />
          </dd>
        </div>
        <div>
          <dt>Matches since the start</dt>
          <dd>{number(health.matches)}</dd>
        </div>
        <div>
          <dt>Share of the work</dt>
          <dd>{health.cost === null ? '–' : percent(health.cost)}</dd>
        </div>
        <div>
          <dt>Partial matches</dt>
          <dd>{health.runs === null ? <small>not known yet</small> : number(health.runs)}</dd>
        </div>
        <div>
          <dt>Latency, 99 in 100</dt>
          <dd>{health.latencyMs === null ? <small>no alert since the start</small> : duration(health.latencyMs)}</dd>
        </div>
      </dl>
      <Panel title="Alerts over time" note="of the newest 1,000, by event time" bare>
        <Loaded of={alerts}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No alerts of this pattern are kept" />
            ) : (
              <div class="body">
                <DayChart counts={perDay(items.map(({ detectedAt }) => detectedAt))} />
              </div>
            )
          }
        </Loaded>
      </Panel>
      <Panel title="Its newest alerts" bare>
        <Loaded of={alerts}>
          {({ items }) => (
            <ul class="related">
              {items.slice(0, SHOWN).map((alert) => (
                <li key={alert.id}>
                  <a href={to(['alerts', alert.id])}>
                    <SeverityBadge severity={alert.severity} score={alert.score} />
                    <span class="mono">{alert.key}</span>
                    <span class="cut grow soft">{alert.message}</span>
                    <span class="faint">
                      <Time ms={alert.detectedAt} now={now} />
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </Panel>
    </>
  );
}
