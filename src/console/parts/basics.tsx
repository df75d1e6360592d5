import type { ComponentChildren } from 'preact';
import { ApiError } from '../api/client.js';
import type { Alert, Severity } from '../api/types.js';
import { ago, dayAndTime, wholeTime } from '../lib/format.js';
import type { Resource } from '../lib/hooks.js';

export function SeverityBadge({ severity, score }: { readonly severity: Severity; readonly score?: number | null }) {
  return (
    <span class={`badge ${severity}`}>
      {severity}
      {score === undefined || score === null ? null : <span class="score">{Math.round(score)}</span>}
    </span>
  );
}

const STATE_TONE = {
  open: 'calm',
  confirmed: 'critical',
  dismissed: 'good',
  unsure: 'medium',
  snoozed: 'calm',
} as const;
const STATE_WORD = {
  open: 'open',
  confirmed: 'fraud',
  dismissed: 'no fraud',
  unsure: 'unsure',
  snoozed: 'snoozed',
} as const;

export function StateBadge({ state }: { readonly state: Alert['state'] }) {
  return state === undefined ? null : <span class={`badge ${STATE_TONE[state]}`}>{STATE_WORD[state]}</span>;
}

const STATUS_TONE = { live: 'good', shadow: 'medium', draft: 'calm', retired: 'calm' } as const;

export function StatusBadge({ status }: { readonly status: keyof typeof STATUS_TONE }) {
  return <span class={`badge ${STATUS_TONE[status]}`}>{status}</span>;
}

export function Time({ ms, now }: { readonly ms: number; readonly now?: number }) {
  return (
    <time dateTime={new Date(ms).toISOString()} title={wholeTime(ms)} class="number nowrap">
      {now === undefined ? dayAndTime(ms) : ago(ms, now)}
    </time>
  );
}

interface PanelProps {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Without room around what is in it. */
  readonly bare?: boolean;
}

export function Panel({ title, note, actions, children, bare }: PanelProps) {
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note && <span class="faint">{note}</span>}
        {actions && <div class="actions">{actions}</div>}
      </header>
      {bare ? children : <div class="body">{children}</div>}
    </section>
  );
}

export function Waiting() {
  return (
    <div class="waiting" role="status">
      <span class="unseen">Loading</span>
      <i />
      <i />
      <i />
    </div>
  );
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

/** What went wrong, and what to do next. */
export function Trouble({ error, again }: { readonly error: Error; readonly again?: () => void }) {
  const items = error instanceof ApiError ? error.errors : [];
  return (
    <div class="note critical" role="alert">
      <div class="grow">
        {error.message}
        {items.map(({ path, message }) => (
          <div key={path + message}>
            {path && <code>{path}</code>} {message}
          </div>
        ))}
      </div>
      {again && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

interface LoadedProps<T> {
  readonly of: Resource<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** Loading, failed, or there; what is there stays, with the trouble above it, when asking again fails. */
export function Loaded<T>({ of: { data, error, reload }, children }: LoadedProps<T>) {
  return (
    <>
      {error !== null && <Trouble error={error} again={reload} />}
      {data === null ? error === null && <Waiting /> : children(data)}
    </>
  );
}

export function Note({
  tone,
  children,
}: {
  readonly tone?: 'critical' | 'high' | 'good';
  readonly children: ComponentChildren;
}) {
  return (
    <div class={`note ${tone ?? ''}`} role={tone === 'critical' ? 'alert' : undefined}>
      <div class="grow">{children}</div>
    </div>
  );
}
