/** Every question that the console asks the service: the only place that knows addresses. */
import { json } from './client.js';
import type * as T from './types.js';

export interface AlertFilter {
  readonly key?: string;
  readonly pattern?: string;
  readonly severity?: string;
  readonly state?: string;
  readonly q?: string;
  readonly from?: string | number;
  readonly to?: string | number;
}

/** Who changes something, and why. Where one has to sign in, the service knows who. */
export interface Signed {
  readonly author?: string;
  readonly message?: string;
}

const id = encodeURIComponent;
const V1 = 'v1';
/** The longest page that the service answers with. */
const ALL = { limit: 1000 };

async function items<T>(path: string, signal?: AbortSignal): Promise<readonly T[]> {
  return (await json<T.Page<T>>(`${V1}/${path}`, { query: ALL, signal })).items;
}

export const login = (signal?: AbortSignal) => json<T.Login>(`${V1}/login`, { signal });
export const me = (signal?: AbortSignal) => json<T.Me>(`${V1}/me`, { signal });
export const status = (signal?: AbortSignal) => json<T.Status>(`${V1}/status`, { signal });

export const alertsLive = `${V1}/alerts/live`;
export const alerts = (filter: AlertFilter & { limit?: number; cursor?: string }, signal?: AbortSignal) =>
  json<T.Page<T.Alert>>(`${V1}/alerts`, { query: { ...filter }, signal });
export const alertGroups = (filter: AlertFilter & { limit?: number }, signal?: AbortSignal) =>
  json<T.Page<T.AlertGroup>>(`${V1}/alerts/groups`, { query: { ...filter }, signal });
export const alert = (of: string, signal?: AbortSignal) => json<T.AlertDetail>(`${V1}/alerts/${id(of)}`, { signal });
export const giveFeedback = (of: string, body: { verdict: T.Verdict; note: string } & Signed) =>
  json<T.Feedback>(`${V1}/alerts/${id(of)}/feedback`, { method: 'POST', body });
export const snooze = (body: { key: string; pattern?: string; until: string; reason: string } & Signed) =>
  json<object>(`${V1}/snoozes`, { method: 'POST', body });

export const patterns = (signal?: AbortSignal) => items<T.Pattern>('patterns', signal);
export const pattern = (of: string, signal?: AbortSignal) =>
  json<T.PatternDetail>(`${V1}/patterns/${id(of)}`, { signal });
export const patternVersion = (of: string, revision: string, signal?: AbortSignal) =>
  json<T.PatternVersion>(`${V1}/patterns/${id(of)}/versions/${id(revision)}`, { signal });
export const putPattern = (of: string, body: { yaml: string; tests?: string | undefined; dryRun?: boolean } & Signed) =>
  json<T.Applied>(`${V1}/patterns/${id(of)}`, { method: 'PUT', body });
export const patternRevisions = (of: string, signal?: AbortSignal) =>
  items<T.Revision>(`patterns/${id(of)}/revisions`, signal);
export const shadow = (of: string, query: { against?: string; from?: string }, signal?: AbortSignal) =>
  json<T.Shadow>(`${V1}/patterns/${id(of)}/shadow`, { query, signal });

export const rules = (signal?: AbortSignal) => json<T.RuleSet>(`${V1}/rules`, { signal });
export const revisions = (signal?: AbortSignal) => items<T.Revision>('revisions', signal);
export const revision = (n: number, signal?: AbortSignal) => json<T.RevisionDetail>(`${V1}/revisions/${n}`, { signal });
export const rollback = (to: number | undefined, by: Signed) =>
  json<T.Applied>(`${V1}/rollback`, { method: 'POST', body: { to, ...by } });
export const approve = (n: number, by: Signed) =>
  json<T.Applied>(`${V1}/revisions/${n}/approve`, { method: 'POST', body: by });

export const outline = (body: T.RuleText, signal?: AbortSignal) =>
  json<T.Outline>(`${V1}/automaton`, { method: 'POST', body, signal });
export const vocabulary = (signal?: AbortSignal) => json<T.Vocabulary>(`${V1}/vocabulary`, { signal });
export const tests = (of: string, signal?: AbortSignal) =>
  json<{ readonly text: string | null }>(`${V1}/patterns/${id(of)}/tests`, { signal });
export const runTests = (yaml: string, text: string) =>
  json<T.RanTests>(`${V1}/test`, { method: 'POST', body: { yaml, tests: text } });

export const backtests = (signal?: AbortSignal) => items<T.Backtest>('backtests', signal);
export const backtest = (of: string, signal?: AbortSignal) => json<T.Backtest>(`${V1}/backtests/${id(of)}`, { signal });
export const backtestResult = (of: string, signal?: AbortSignal) =>
  json<T.BacktestResult>(`${V1}/backtests/${id(of)}/result`, { signal });
export const startBacktest = (body: object) => json<T.Backtest>(`${V1}/backtests`, { method: 'POST', body });
export const endBacktest = (of: string) => json<T.Backtest>(`${V1}/backtests/${id(of)}`, { method: 'DELETE' });
export const backtestEvents = (of: string) => `${V1}/backtests/${id(of)}/events`;
export const backtestReport = (of: string) => `${V1}/backtests/${id(of)}/report`;

/** About a key, or about an alert, whose key need not be known. */
export type ExplainQuery = { key: string; pattern: string; at: string } | { alert: string };
export const explain = (query: ExplainQuery, signal?: AbortSignal) =>
  json<T.Explanation>(`${V1}/explanations`, { query, signal });

/** What the features of an alert's pattern are for its key now. */
export const featuresOf = (alert: string, signal?: AbortSignal) =>
  json<T.KeyFeatures>(`${V1}/features`, { query: { alert }, signal });

export const lanes = (signal?: AbortSignal) => json<T.Lanes>(`${V1}/lanes`, { signal });
export const streams = (signal?: AbortSignal) => items<T.Stream>('streams', signal);
export const lists = (signal?: AbortSignal) => items<T.ReferenceList>('lists', signal);
export const list = (name: string, signal?: AbortSignal) =>
  json<T.ReferenceList>(`${V1}/lists/${id(name)}`, { signal });
export const savepoints = (signal?: AbortSignal) => items<T.Savepoint>('savepoints', signal);
export const makeSavepoint = () => json<T.Savepoint>(`${V1}/savepoints`, { method: 'POST', body: {} });
