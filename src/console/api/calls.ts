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

export const alertsLive = 'v1/alerts/live';

/** All of a list that is never long. */
const all = async <I>(path: string, signal?: AbortSignal): Promise<readonly I[]> =>
  (await json<T.Page<I>>(path, { query: { limit: 1000 }, signal })).items;

export const alerts = (
  filter: AlertFilter & { readonly limit?: number; readonly cursor?: string },
  signal?: AbortSignal,
): Promise<T.Page<T.Alert>> => json<T.Page<T.Alert>>('v1/alerts', { query: { ...filter }, signal });

export const alert = (of: string, signal?: AbortSignal) => json<T.Alert>(`v1/alerts/${id(of)}`, { signal });

export const giveFeedback = (of: string, body: { verdict: T.Verdict; note: string }) =>
  json<T.Feedback>(`v1/alerts/${id(of)}/feedback`, { method: 'POST', body });

export const patterns = async (signal?: AbortSignal): Promise<readonly T.Pattern[]> => {
  const found = await all<T.Pattern & { readonly health: { readonly matches: number } }>('v1/patterns', signal);
  return found.map((pattern) => ({ ...pattern, matches: pattern.health.matches }));
};
export const rules = (signal?: AbortSignal) => json<T.RuleSet>('v1/rules', { signal });
export const revisions = (signal?: AbortSignal) => all<T.Revision | T.Approval>('v1/revisions', signal);
export const revisionFiles = async (n: number, signal?: AbortSignal) =>
  (await json<{ files: T.RuleText[] }>(`v1/revisions/${n}`, { signal })).files;
export const apply = (files: readonly T.RuleText[], by: Named, dryRun = false) =>
  json<T.Applied>('v1/rules/apply', { method: 'POST', body: { files, dryRun, ...by } });
export const rollback = (to: number | undefined, by: Named) =>
  json<T.Applied>('v1/rollback', { method: 'POST', body: { to, ...by } });
export const approve = (n: number, by: Named) =>
  json<T.Applied>(`v1/revisions/${n}/approve`, { method: 'POST', body: by });

export const outline = (body: T.RuleText, signal?: AbortSignal) =>
  json<T.Outline>('v1/automaton', { method: 'POST', body, signal });
export const vocabulary = (signal?: AbortSignal) => json<T.Vocabulary>('v1/vocabulary', { signal });

export const backtests = (signal?: AbortSignal) => all<T.Backtest>('v1/backtests', signal);
export const backtest = (of: string, signal?: AbortSignal) => json<T.Backtest>(`v1/backtests/${id(of)}`, { signal });
export const startBacktest = (body: object) => json<T.Backtest>('v1/backtests', { method: 'POST', body });
export const endBacktest = (of: string) => json<T.Backtest>(`v1/backtests/${id(of)}`, { method: 'DELETE' });
export const backtestEvents = (of: string) => `v1/backtests/${id(of)}/events`;
export const backtestReport = (of: string) => `v1/backtests/${id(of)}/report`;

export const status = (signal?: AbortSignal) => json<T.Status>('v1/status', { signal });
export const streams = (signal?: AbortSignal) => all<T.Stream>('v1/streams', signal);
export const lists = (signal?: AbortSignal) => all<T.ReferenceList>('v1/lists', signal);
