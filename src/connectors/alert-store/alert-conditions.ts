import type { AlertFilter, AlertPlace, AlertState } from '../../runtime/ports/alert-store.js';
import type { StoreValue } from './store-client.js';

/** A piece of SQL and what stands for its question marks. */
export interface SqlPart {
  readonly sql: string;
  readonly values: readonly StoreValue[];
}

const STATE_OF_VERDICT: Readonly<Record<string, AlertState>> = {
  true: 'confirmed',
  false: 'dismissed',
  unsure: 'unsure',
};

const snoozed = `exists (select 1 from alert_store_snoozes s
  where s.key = a.key and s.ends_at > ? and (s.pattern is null or s.pattern = a.pattern))`;

/** The state of the alert `a`. */
export const stateOf = (now: number): SqlPart => ({
  sql: `case a.verdict ${Object.entries(STATE_OF_VERDICT)
    .map(([verdict, state]) => `when '${verdict}' then '${state}'`)
    .join(' ')} else case when ${snoozed} then 'snoozed' else 'open' end end`,
  values: [now],
});

/** The alerts `a` that are asked for, of those that are live. */
export function conditionOf(filter: AlertFilter, after: AlertPlace | null, now: number): SqlPart {
  const parts: SqlPart[] = [{ sql: "a.kind = 'live'", values: [] }];
  const add = (sql: string, ...values: StoreValue[]): void => void parts.push({ sql, values });
  const { key, orKey, pattern, severity, state, from, to, q } = filter;
  const keys = [key, orKey].filter((one) => one !== undefined).map(plain);
  if (keys.length > 0) add(`a.key in (${keys.map(() => '?').join(', ')})`, ...keys);
  if (pattern !== undefined) add('a.pattern = ?', plain(pattern));
  if (severity !== undefined) add('a.severity = ?', severity);
  if (from !== undefined) add('a.detected_at >= ?', from);
  if (to !== undefined) add('a.detected_at < ?', to);
  if (q !== undefined) add("a.words like ? escape '!'", `%${plain(q.toLowerCase()).replace(/[!%_]/g, '!$&')}%`);
  if (state !== undefined) parts.push(inState(state, now));
  if (after !== null) add('(a.detected_at, a.id) < (?, ?)', after.at, after.id);
  return { sql: parts.map(({ sql }) => sql).join(' and '), values: parts.flatMap(({ values }) => values) };
}

function inState(state: AlertState, now: number): SqlPart {
  if (state === 'open') return { sql: `a.verdict is null and not ${snoozed}`, values: [now] };
  if (state === 'snoozed') return { sql: `a.verdict is null and ${snoozed}`, values: [now] };
  const [verdict] = Object.entries(STATE_OF_VERDICT).find(([, of]) => of === state)!;
  return { sql: 'a.verdict = ?', values: [verdict] };
}

/** PostgreSQL keeps no zero bytes in texts. */
export const plain = (text: string): string => text.replaceAll('\0', '\ufffd');
