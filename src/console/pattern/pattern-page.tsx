import * as api from '../api/calls.js';
import type { PatternDetail } from '../api/types.js';
import { useResource, useTitle } from '../lib/hooks.js';
import { type Place, to } from '../lib/router.js';
import { Loaded, Note, SeverityBadge, StatusBadge } from '../parts/basics.js';
import { HealthTab } from './health-tab.js';
import { HistoryTab } from './history-tab.js';
import { RuleTab } from './rule-tab.js';
import { ShadowTab } from './shadow-tab.js';

const TABS = [
  ['rule', 'Rule'],
  ['health', 'Health'],
  ['history', 'Revisions'],
  ['shadow', 'Shadow and live'],
] as const;

export const NEW = 'new';

interface PatternPageProps {
  readonly id: string;
  readonly tab: string;
  readonly place: Place;
}

export function PatternPage({ id, tab }: PatternPageProps) {
  const isNew = id === NEW;
  const pattern = useResource(
    async (signal): Promise<PatternDetail | null> => (isNew ? null : api.pattern(id, signal)),
    [id],
    tab === 'health' ? 5_000 : 0,
  );
  const { data } = pattern;
  useTitle(data?.title ?? (isNew ? 'New pattern' : id));
  return (
    <div class="page">
      <header class="stack tight">
        <nav aria-label="Way back" class="faint">
          <a class="linked" href={to(['patterns'])}>
            Patterns
          </a>{' '}
          / <span class="mono">{id}</span>
        </nav>
        <div class="page-head">
          <h1>{data?.title ?? (isNew ? 'New pattern' : id)}</h1>
          {data !== null && (
            <>
              <StatusBadge status={data.status} />
              {data.canary !== null && <span class="badge medium">{data.canary} % of keys</span>}
              <SeverityBadge severity={data.severity} score={data.score} />
              <div class="actions">
                <a class="button" href={to(['alerts'], { pattern: id })}>
                  Its alerts
                </a>
                <a class="button" href={to(['explain'], { pattern: id })}>
                  Why not?
                </a>
              </div>
            </>
          )}
        </div>
        {data?.description && <p class="soft">{data.description}</p>}
      </header>
      {!isNew && (
        <nav class="tabs" aria-label="Of this pattern">
          {TABS.map(([name, title]) => (
            <a key={name} href={to(['patterns', id, name])} aria-current={tab === name ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
      )}
      {data?.health.quarantined.map(({ topic, partition, detail, reason }) => (
        <Note key={`${topic}${partition}`} tone="critical">
          Stopped in {topic}/{partition}: {detail} ({reason}). Its next revision runs again.
        </Note>
      ))}
      {isNew ? (
        <RuleTab id={NEW} pattern={null} onPublished={pattern.reload} />
      ) : (
        <Loaded of={pattern}>
          {(of) =>
            of === null ? null : tab === 'health' ? (
              <HealthTab pattern={of} />
            ) : tab === 'history' ? (
              <HistoryTab id={id} />
            ) : tab === 'shadow' ? (
              <ShadowTab pattern={of} />
            ) : (
              <RuleTab id={id} pattern={of} onPublished={pattern.reload} />
            )
          }
        </Loaded>
      )}
    </div>
  );
}
