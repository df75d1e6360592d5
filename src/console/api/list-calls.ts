/** Reference lists and snoozes: what analysts keep. */

import type { Signed } from './calls.js';
import { call, json } from './client.js';
import type { ListEntry, Page, ReferenceList, Snooze } from './types.js';

const id = encodeURIComponent;

/** At most `limit` entries with the text in them. */
export async function listEntries(
  name: string,
  query: { readonly q: string; readonly limit: number },
  signal?: AbortSignal,
): Promise<readonly ListEntry[]> {
  const answer = await call(`v1/lists/${id(name)}/entries`, { query, ...(signal && { signal }) });
  const lines = (await answer.text()).split('\n').filter(Boolean);
  return lines.map((line) => {
    const entry = JSON.parse(line) as string | readonly [string, string];
    return typeof entry === 'string' ? { key: entry, value: null } : { key: entry[0], value: entry[1] };
  });
}

export interface ListChange {
  readonly put?: readonly string[] | Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export const changeList = (name: string, body: ListChange, by: Signed) =>
  json<ReferenceList>(`v1/lists/${id(name)}`, { method: 'PATCH', body, query: { ...by } });
export const makeList = (name: string, kind: 'set' | 'map', by: Signed) =>
  json<ReferenceList>(`v1/lists/${id(name)}`, {
    method: 'PUT',
    body: kind === 'map' ? {} : [],
    query: { kind, ...by },
  });

export const snoozes = async (signal?: AbortSignal) =>
  (await json<Page<Snooze>>('v1/snoozes', { query: { limit: 1000 }, ...(signal && { signal }) })).items;
export const endSnooze = (of: string) => json<Snooze>(`v1/snoozes/${id(of)}`, { method: 'DELETE' });
