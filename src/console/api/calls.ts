/** Every question that the console asks the service: the only place that knows addresses. */
import { json } from './client.js';
import type * as T from './types.js';

export interface AlertFilter {
  readonly key?: string;
  readonly pattern?: string;
  readonly severity?: string;
  readonly from?: string | number;
  readonly to?: string | number;
}

type Named = Readonly<{ author: string; message: string }>;
const id = encodeURIComponent;

export const alertsLive = 'alerts/live';

export async function alerts(
  filter: AlertFilter & { readonly limit?: number; readonly cursor?: string },
  signal?: AbortSignal,
): Promise<T.Page<T.Alert>> {
  const page = await json<{ alerts: T.Alert[]; next: string | null }>('alerts', { query: { ...filter }, signal });
  return { items: page.alerts, nextCursor: page.next };
}

export const alert = (of: string, signal?: AbortSignal) => json<T.Alert>(`alerts/${id(of)}`, { signal });

export const giveFeedback = (of: string, body: { verdict: T.Verdict; note: string }) =>
  json<T.Feedback>(`v1/alerts/${id(of)}/feedback`, { method: 'POST', body });

export const patterns = async (signal?: AbortSignal) =>
  (await json<{ patterns: T.Pattern[] }>('patterns', { signal })).patterns;
export const rules = (signal?: AbortSignal) => json<T.RuleSet>('rules', { signal });
export const revisions = async (signal?: AbortSignal) =>
  (await json<{ revisions: (T.Revision | T.Approval)[] }>('rules/revisions', { signal })).revisions;
export const revisionFiles = async (n: number, signal?: AbortSignal) =>
  (await json<{ files: T.RuleText[] }>(`v1/revisions/${n}/files`, { signal })).files;
export const apply = (files: readonly T.RuleText[], by: Named, dryRun = false) =>
  json<T.Applied>('rules/apply', { method: 'POST', body: { files, dryRun, ...by } });
export const rollback = (to: number | undefined, by: Named) =>
  json<T.Applied>('rules/rollback', { method: 'POST', body: { to, ...by } });
export const approve = (n: number, by: Named) =>
  json<T.Applied>(`rules/revisions/${n}/approve`, { method: 'POST', body: by });

export const outline = (body: T.RuleText, signal?: AbortSignal) =>
  json<T.Outline>('v1/automaton', { method: 'POST', body, signal });
export const vocabulary = (signal?: AbortSignal) => json<T.Vocabulary>('v1/vocabulary', { signal });

export const backtests = async (signal?: AbortSignal) =>
  (await json<{ backtests: T.Backtest[] }>('backtests', { signal })).backtests;
export const backtest = (of: string, signal?: AbortSignal) => json<T.Backtest>(`backtests/${id(of)}`, { signal });
export const startBacktest = (body: object) => json<T.Backtest>('backtests', { method: 'POST', body });
export const endBacktest = (of: string) => json<T.Backtest>(`backtests/${id(of)}`, { method: 'DELETE' });
export const backtestEvents = (of: string) => `backtests/${id(of)}/events`;
export const backtestReport = (of: string) => `backtests/${id(of)}/report`;

export const status = (signal?: AbortSignal) => json<T.Status>('status', { signal });
export const streams = async (signal?: AbortSignal) =>
  (await json<{ streams: T.Stream[] }>('streams', { signal })).streams;
export const lists = async (signal?: AbortSignal) =>
  (await json<{ lists: T.ReferenceList[] }>('lists', { signal })).lists;
