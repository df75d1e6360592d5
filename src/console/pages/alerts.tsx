import { useEffect, useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { Alert } from '../api/types.js';
import { Grouped } from '../feed/grouped.js';
import { useLiveAlerts } from '../feed/use-feed.js';
import { dayOf, number, plural, timeOfDay, wholeTime } from '../lib/format.js';
import { useMedia, useResource, useTitle } from '../lib/hooks.js';
import { go, type Place, to } from '../lib/router.js';
import { useShortcuts } from '../lib/shortcuts.js';
import { Empty, SeverityBadge, StateBadge, Trouble, Waiting } from '../parts/basics.js';
import { Icon } from '../parts/icons.js';
import { VirtualList } from '../parts/virtual-list.js';

type Chosen = Readonly<Record<'severity' | 'pattern' | 'key' | 'from' | 'to' | 'state' | 'q', string | undefined>>;

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
const STATES = [
  ['open', 'Open'],
  ['confirmed', 'Fraud'],
  ['dismissed', 'No fraud'],
  ['unsure', 'Unsure'],
  ['snoozed', 'Snoozed'],
] as const;
/** Back from an alert, the list is where it was left. */
let lastOpened: string | null = null;

export function AlertsPage({ place: { query } }: { readonly place: Place }) {
  useTitle('Alerts');
  const view = query.get('view') ?? undefined;
  const chosen = {
    severity: query.get('severity') ?? undefined,
    pattern: query.get('pattern') ?? undefined,
    key: query.get('key') ?? undefined,
    from: query.get('from') ?? undefined,
    to: query.get('to') ?? undefined,
    state: query.get('state') ?? undefined,
    q: query.get('q') ?? undefined,
  };
  return view === 'repeats' ? (
    <div class="page">
      <div class="page-head">
        <h1>Alerts</h1>
        <Views view={view} chosen={chosen} />
      </div>
      <Filters chosen={chosen} view={view} />
      <Grouped filter={chosen} />
    </div>
  ) : (
    <LiveList chosen={chosen} />
  );
}

function Views({ view, chosen }: { readonly view: string | undefined; readonly chosen: Chosen }) {
  const views = [
    [undefined, 'One by one'],
    ['repeats', 'Repeats together'],
  ] as const;
  return (
    <nav class="choice" aria-label="View">
      {views.map(([of, name]) => (
        <a key={name} href={to(['alerts'], { ...chosen, view: of })} aria-current={view === of ? 'true' : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}

function LiveList({ chosen }: { readonly chosen: Chosen }) {
  const feed = useLiveAlerts(chosen);
  const { rows } = feed;
  const [currentId, setCurrentId] = useState<string | null>(lastOpened);
  const index = rows.findIndex(({ id }) => id === currentId);
  const narrow = useMedia('(max-width: 760px)');
  const filtered = Object.values(chosen).some(Boolean);

  const open = (alert: Alert) => {
    lastOpened = alert.id;
    go(to(['alerts', alert.id]));
  };
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, index < 0 ? 0 : index + by))];
    if (next === undefined) return;
    setCurrentId(next.id);
    feed.hold(true);
    requestAnimationFrame(() => document.getElementById(`alert-${next.id}`)?.focus({ preventScroll: true }));
  };
  const shortcuts = {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    p: () => feed.setLive(!feed.live),
    f: () => document.getElementById('alert-text')?.focus(),
    Escape: () => {
      setCurrentId(null);
      feed.hold(false);
    },
  };
  useShortcuts(shortcuts);
  useEffect(() => {
    lastOpened = null;
  }, []);

  return (
    <div class="page full">
      <div class="page-head">
        <h1>Alerts</h1>
        <Views view={undefined} chosen={chosen} />
        <LiveState open={feed.open} live={feed.live} />
        <div class="actions">
          <a class="button plain" href={to(['snoozes'])}>
            Snoozed keys
          </a>
          <button type="button" class="button" aria-pressed={!feed.live} onClick={() => feed.setLive(!feed.live)}>
            <Icon name={feed.live ? 'pause' : 'play'} size={14} /> {feed.live ? 'Pause' : 'Go on'} <kbd>p</kbd>
          </button>
        </div>
      </div>
      <Filters chosen={chosen} />
      {feed.error !== null && <Trouble error={feed.error} again={feed.reload} />}
      <section class="panel feed" aria-label="List of alerts">
        <div class="feed-head" aria-hidden="true">
          <span>Event time</span>
          <span>Severity</span>
          <span>Key</span>
          <span>Pattern</span>
          <span>What happened</span>
        </div>
        {feed.waiting > 0 && (
          <button
            type="button"
            class="fresh"
            onClick={() => {
              setCurrentId(null);
              feed.hold(false);
              document.querySelector('.virtual')?.scrollTo({ top: 0 });
            }}
          >
            {plural(feed.waiting, 'new alert')}
          </button>
        )}
        {rows.length === 0 ? (
          feed.loading ? (
            <Waiting />
          ) : (
            feed.error === null && <NoAlerts filtered={filtered} />
          )
        ) : (
          <VirtualList
            label="Alerts, newest first"
            rows={rows}
            rowHeight={narrow ? 74 : 34}
            idOf={({ id }) => id}
            onTop={(atTop) => feed.hold(!atTop || currentId !== null)}
            onEnd={feed.more}
            current={index < 0 ? null : index}
            row={(alert) => <AlertRow alert={alert} current={alert.id === currentId} onOpen={open} />}
          />
        )}
        <div class="feed-foot faint" role="status">
          {number(rows.length)} loaded
          <span class="keys">
            <kbd>j</kbd> <kbd>k</kbd> move <kbd>Enter</kbd> open <kbd>f</kbd> filter
          </span>
        </div>
      </section>
    </div>
  );
}

function LiveState({ open, live }: { readonly open: boolean | null; readonly live: boolean }) {
  if (!live) return <span class="badge calm">paused</span>;
  if (open === null) return <span class="badge calm">connecting</span>;
  return open ? (
    <span class="badge good">
      <i class="dot good" /> live
    </span>
  ) : (
    <span class="badge critical">no connection: trying again</span>
  );
}

interface AlertRowProps {
  readonly alert: Alert;
  readonly current: boolean;
  readonly onOpen: (alert: Alert) => void;
}

function AlertRow({ alert, current, onOpen }: AlertRowProps) {
  const today = dayOf(Date.now());
  return (
    <a
      id={`alert-${alert.id}`}
      class={`feed-row ${current ? 'current' : ''}`}
      href={to(['alerts', alert.id])}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        onOpen(alert);
      }}
    >
      <span class="when number" title={wholeTime(alert.detectedAt)}>
        {timeOfDay(alert.detectedAt)}{' '}
        {dayOf(alert.detectedAt) !== today && <span class="faint">{dayOf(alert.detectedAt)}</span>}
      </span>
      <span class="what">
        <i class={`mark ${alert.severity}`} />
        <SeverityBadge severity={alert.severity} score={alert.score} />
      </span>
      <span class="who mono cut">{alert.key}</span>
      <span class="rule cut">
        {alert.state !== undefined && alert.state !== 'open' && <StateBadge state={alert.state} />} {alert.title}
      </span>
      <span class="message cut soft">{alert.message}</span>
    </a>
  );
}

function NoAlerts({ filtered }: { readonly filtered: boolean }) {
  return filtered ? (
    <Empty title="No alert fits this filter">
      <a class="button" href={to(['alerts'])}>
        Show all alerts
      </a>
    </Empty>
  ) : (
    <Empty title="No alerts yet">
      <p>They appear here as soon as a pattern matches. </p>
      <a class="button" href={to(['system'])}>
        Is anything read?
      </a>
    </Empty>
  );
}

interface FiltersProps {
  readonly chosen: Chosen;
  readonly view?: string;
}

function Filters({ chosen, view }: FiltersProps) {
  const patterns = useResource((signal) => api.patterns(signal), []);
  const set = (more: Partial<FiltersProps['chosen']>) => go(to(['alerts'], { ...chosen, ...more, view }), true);
  return (
    <search class="row filters">
      <fieldset class="choice">
        <legend class="unseen">Severity</legend>
        {[undefined, ...SEVERITIES].map((severity) => (
          <label key={severity ?? 'all'}>
            <input
              type="radio"
              name="severity"
              checked={chosen.severity === severity}
              onChange={() => set({ severity })}
            />
            <span>{severity ?? 'all'}</span>
          </label>
        ))}
      </fieldset>
      <select
        class="input"
        aria-label="Pattern"
        value={chosen.pattern ?? ''}
        onChange={({ currentTarget }) => set({ pattern: currentTarget.value || undefined })}
      >
        <option value="">All patterns</option>
        {(patterns.data ?? []).map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
        {chosen.pattern && !patterns.data?.some(({ id }) => id === chosen.pattern) && (
          <option value={chosen.pattern}>{chosen.pattern}</option>
        )}
      </select>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          set({ key: String(new FormData(event.currentTarget).get('key') ?? '').trim() || undefined });
        }}
      >
        <input
          class="input"
          name="key"
          type="search"
          aria-label="Key, such as an account"
          placeholder="Key, e.g. account"
          defaultValue={chosen.key ?? ''}
          key={chosen.key}
          onBlur={({ currentTarget }) => currentTarget.form?.requestSubmit()}
        />
      </form>
      <TimeRange chosen={chosen} onChange={set} />
      <select
        class="input"
        aria-label="State"
        value={chosen.state ?? ''}
        onChange={({ currentTarget }) => set({ state: currentTarget.value || undefined })}
      >
        <option value="">Any state</option>
        {STATES.map(([state, name]) => (
          <option key={state} value={state}>
            {name}
          </option>
        ))}
      </select>
      <form
        class="grow"
        onSubmit={(event) => {
          event.preventDefault();
          set({ q: String(new FormData(event.currentTarget).get('q') ?? '').trim() || undefined });
        }}
      >
        <input
          id="alert-text"
          class="input"
          name="q"
          type="search"
          aria-label="Text in the title, the message, the key or an id"
          placeholder="Text, Enter"
          defaultValue={chosen.q ?? ''}
          key={chosen.q}
        />
      </form>
      {Object.values(chosen).some(Boolean) && (
        <a class="button plain" href={to(['alerts'])}>
          Clear
        </a>
      )}
    </search>
  );
}

const RANGES = [
  ['', 'Any time'],
  ['15', 'Last 15 minutes'],
  ['60', 'Last hour'],
  ['1440', 'Last day'],
  ['10080', 'Last week'],
] as const;

function TimeRange({ chosen, onChange }: { chosen: FiltersProps['chosen']; onChange: (more: object) => void }) {
  const fixed = chosen.from !== undefined || chosen.to !== undefined;
  return (
    <select
      class="input"
      aria-label="Event time"
      value={fixed ? 'set' : ''}
      onChange={({ currentTarget: { value } }) =>
        onChange({
          from: value === '' ? undefined : new Date(Date.now() - Number(value) * 60_000).toISOString(),
          to: undefined,
        })
      }
    >
      {fixed && <option value="set">since {chosen.from ? wholeTime(Date.parse(chosen.from)) : 'the beginning'}</option>}
      {RANGES.map(([minutes, name]) => (
        <option key={minutes} value={minutes}>
          {name}
        </option>
      ))}
    </select>
  );
}
