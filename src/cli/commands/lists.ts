import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { formatOf, ListFormatError, readList } from '../../runtime/lists/read-list.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { askService, bodyOf, jsonBody, type Sent, type ServiceOptions } from '../service-client.js';

export interface ListsOptions extends ServiceOptions {
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
  const { items: lists } = await bodyOf<{ readonly items: readonly ListAnswer[] }>(
    await ask(options, 'GET', '?limit=1000'),
  );
  output.result({ lists }, () => (lists.length === 0 ? 'There are no lists.' : lists.map(line).join('\n')));
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
  const { kind } = await bodyOf<ListAnswer>(await ask(options, 'GET', path));
  const put = kind === 'map' ? Object.fromEntries(entries.map(pair)) : entries;
  return changed(options, 'PATCH', path, output, jsonBody(change === 'add' ? { put } : { remove: entries }));
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
  const answer = await bodyOf<ListAnswer>(await ask(options, method, `${path}${signed(options)}`, sent));
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

const ask = (options: ListsOptions, method: string, path: string, sent?: Sent): Promise<Response> =>
  askService(options, method, `/v1/lists${path}`, sent);

function line({ name, kind, entries, source, trouble, usedBy, digest }: ListAnswer): string {
  const asked = usedBy.length === 0 ? 'asked by no rule' : `asked by ${usedBy.join(', ')}`;
  const from = source === null ? '' : `  from ${source}`;
  const wrong = trouble === null ? '' : `  TROUBLE: ${trouble}`;
  return `${name}  ${kind} of ${entries.toLocaleString('en-US')}  ${digest.slice(0, 12)}${from}  ${asked}${wrong}`;
}
