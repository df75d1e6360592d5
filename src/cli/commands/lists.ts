import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { formatOf, ListFormatError, readList } from '../../runtime/lists/read-list.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';

export interface ListsOptions {
  readonly config?: string;
  readonly to?: string;
  readonly author?: string;
  readonly message?: string;
  readonly kind?: string;
}

interface ListAnswer {
  readonly name: string;
  readonly kind: 'set' | 'map';
  readonly entries: number;
  readonly digest: string;
  readonly source: string | null;
  readonly trouble: string | null;
  readonly usedBy: readonly string[];
}

/** The lists of a running service. */
export async function showLists(options: ListsOptions, output: Output): Promise<number> {
  const answer = (await (await ask(options, 'GET', '')).json()) as { readonly lists: readonly ListAnswer[] };
  output.result(answer, () => (answer.lists.length === 0 ? 'There are no lists.' : answer.lists.map(line).join('\n')));
  return 0;
}

/** What one list holds: an entry a line, of a map `key,value`. */
export async function getList(name: string, options: ListsOptions, output: Output): Promise<number> {
  const response = await ask(options, 'GET', `/${encodeURIComponent(name)}/entries`);
  const entries = (await response.text())
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as string | [string, string]);
  output.result({ name, entries }, () => entries.map((entry) => [entry].flat().join(',')).join('\n'));
  return 0;
}

/** Puts a file in the place of a list. */
export async function putList(name: string, file: string, options: ListsOptions, output: Output): Promise<number> {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new CommandError(`${file} cannot be read: ${error.message}`, { cause: error });
  });
  const format = formatOf(file);
  const { kind } = options;
  if (kind === 'set' || kind === 'map') check(file, () => readList(bytes, format, kind));
  const type = { json: 'application/json', csv: 'text/csv', lines: 'text/plain' }[format];
  return changed(options, 'PUT', `/${encodeURIComponent(name)}`, output, { type, body: bytes });
}

/** Puts entries, of a map written `key=value`, or takes entries away. */
export async function changeList(
  name: string,
  entries: readonly string[],
  change: 'add' | 'remove',
  options: ListsOptions,
  output: Output,
): Promise<number> {
  const path = `/${encodeURIComponent(name)}`;
  const { kind } = (await (await ask(options, 'GET', path)).json()) as ListAnswer;
  const put = kind === 'map' ? Object.fromEntries(entries.map(pair)) : entries;
  const body = JSON.stringify(change === 'add' ? { put } : { remove: entries });
  return changed(options, 'PATCH', path, output, { type: 'application/json', body });
}

/** Takes a list away that no rule asks. */
export async function deleteList(name: string, options: ListsOptions, output: Output): Promise<number> {
  await ask(options, 'DELETE', `/${encodeURIComponent(name)}${signed(options)}`);
  output.result({ name, deleted: true }, () => `${name} is gone.`);
  return 0;
}

async function changed(
  options: ListsOptions,
  method: string,
  path: string,
  output: Output,
  sent: Sent,
): Promise<number> {
  const answer = (await (await ask(options, method, `${path}${signed(options)}`, sent)).json()) as ListAnswer;
  output.result(answer, () => line(answer));
  return 0;
}

function pair(entry: string): [string, string] {
  const at = entry.indexOf('=');
  if (at < 0) throw new CommandError(`${entry}: write key=value, because the list is a map.`);
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function check(file: string, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    const at = error instanceof ListFormatError && error.line !== undefined ? `:${error.line}` : '';
    throw new CommandError(`${file}${at}: ${(error as Error).message}`, { cause: error });
  }
}

function signed({ author = userInfo().username, message = '', kind }: ListsOptions): string {
  return `?${new URLSearchParams({ author, message, ...(kind === undefined ? {} : { kind }) }).toString()}`;
}

interface Sent {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** Throws what the service says is wrong. */
async function ask(options: ListsOptions, method: string, path: string, sent?: Sent): Promise<Response> {
  const base = (options.to ?? urlOf(options.config)).replace(/\/+$/, '');
  const more = sent === undefined ? {} : { body: sent.body, headers: { 'content-type': sent.type } };
  const response = await fetch(`${base}/lists${path}`, { method, ...more }).catch((error: Error) => {
    const { cause } = error;
    const why = cause instanceof Error ? cause.message : error.message;
    throw new CommandError(`${base} does not answer: ${why}. Name the service with --to http://…`, { cause: error });
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => null)) as {
    readonly detail?: string;
    readonly errors?: readonly { readonly path: string; readonly message: string }[];
  } | null;
  const items = (problem?.errors ?? []).map((item) => `\n  ${item.path}: ${item.message}`);
  throw new CommandError(`Nothing was changed: ${problem?.detail ?? response.statusText}${items.join('')}`);
}

function urlOf(config: string | undefined): string {
  const { host, port } = settingsOrFail(config ?? process.env.STAKEOUT_CONFIG).http;
  return `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}`;
}

function line({ name, kind, entries, source, trouble, usedBy, digest }: ListAnswer): string {
  const asked = usedBy.length === 0 ? 'asked by no rule' : `asked by ${usedBy.join(', ')}`;
  const from = source === null ? '' : `  from ${source}`;
  const wrong = trouble === null ? '' : `  TROUBLE: ${trouble}`;
  return `${name}  ${kind} of ${entries.toLocaleString('en-US')}  ${digest.slice(0, 12)}${from}  ${asked}${wrong}`;
}
