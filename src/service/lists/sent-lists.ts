import type { FastifyRequest } from 'fastify';
import type { ListKind } from '../../rules/index.js';
import type { ListChange } from '../../runtime/lists/layered-table.js';
import { type ListFormat, ListFormatError, readList } from '../../runtime/lists/read-list.js';
import type { TextTable } from '../../runtime/lists/text-table.js';
import { invalidInput } from '../problems/problem.js';
import type { Expected } from './list-control.js';
import type { ListChangeDto } from './lists.dto.js';

/** What is said of a change beside it. */
export interface ListQuery {
  readonly author?: string;
  readonly message?: string;
  readonly kind?: string;
}

/** Lists as text, which may be larger than other bodies. */
export const listTypes = ['text/plain', 'text/csv'];
const LIST_BYTES_MAX = 512 * 1024 * 1024;

/** Reads the body of a list as bytes. Other routes take no such type, and no body so large. */
export async function readSentList(request: FastifyRequest, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (request.method !== 'PUT' || request.routeOptions.url !== '/v1/lists/:name')
    throw refused(415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE', `Unsupported Media Type: ${request.headers['content-type']}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > LIST_BYTES_MAX) throw refused(413, 'FST_ERR_CTP_BODY_TOO_LARGE', 'Request body is too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const refused = (statusCode: number, code: string, message: string): Error =>
  Object.assign(new Error(message), { statusCode, code });

/** A whole list as it was sent. `is`: what it was until now. Throws a 400. */
export function sentList(
  body: unknown,
  contentType: string | undefined,
  { kind: asked }: ListQuery,
  is: ListKind | undefined,
): { readonly kind: ListKind; readonly table: TextTable } {
  if (asked !== undefined && asked !== 'set' && asked !== 'map')
    throw invalidInput('There is no such kind of list.', [{ path: 'kind', message: 'set or map' }]);
  const isText = body instanceof Uint8Array;
  if (!isText && (typeof body !== 'object' || body === null))
    throw invalidInput('The body must hold the list.', [{ path: '', message: 'an array, an object, or text' }]);
  const format: ListFormat = isText ? (/^text\/csv/i.test(contentType ?? '') ? 'csv' : 'lines') : 'json';
  const formOf = (): ListKind => (format === 'csv' || (format === 'json' && !Array.isArray(body)) ? 'map' : 'set');
  const kind = asked ?? is ?? formOf();
  const bytes = isText ? body : new TextEncoder().encode(JSON.stringify(body));
  return { kind, table: read(() => readList(bytes, format, kind)) };
}

/** Entries that were sent to be changed. Throws a 400. */
export function sentChange(body: ListChangeDto | undefined, kind: ListKind): ListChange {
  const { put = kind === 'map' ? {} : [], remove = [] } = body ?? {};
  if (!Array.isArray(remove) || !remove.every((key) => typeof key === 'string' || typeof key === 'number'))
    throw invalidInput('The entries to take away cannot be read.', [{ path: 'remove', message: 'a list of texts' }]);
  const table = read(() => readList(new TextEncoder().encode(JSON.stringify(put)), 'json', kind), 'put');
  const entries = Array.from({ length: table.size }, (_, at) => [table.keyAt(at), table.valueAt(at)] as const);
  return { put: entries, remove: remove.map(String) };
}

/** What `If-Match` and `If-None-Match` ask for. */
export function versionWanted(headers: Readonly<Record<string, string | undefined>>): Expected {
  const match = headers['if-match']?.trim();
  if (match !== undefined && match !== '*') return match.replace(/^W\//, '').replace(/^"|"$/g, '');
  return headers['if-none-match']?.trim() === '*' ? null : undefined;
}

function read(act: () => TextTable, path = ''): TextTable {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ListFormatError)) throw error;
    const at = error.line === undefined ? path : `line ${error.line}`;
    throw invalidInput('The list cannot be read.', [{ path: at, message: error.message }]);
  }
}
