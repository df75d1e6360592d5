import { readFile } from 'node:fs/promises';
import type { ListKind } from '../../rules/known-lists.js';
import { formatOf, ListFormatError, readList } from './read-list.js';
import { type ListData, listData, ReferenceLists } from './reference-lists.js';

/** Where a list is read from. */
export interface ListSource {
  readonly file?: string;
  readonly kind: ListKind;
}

/** A list that cannot be read. */
export class ListError extends Error {
  readonly code = 'LIST';
}

/**
 * The lists of the settings: those of files as they are in them, the others empty, for they are not read from files. Throws
 * `ListError` for the first that cannot be read.
 */
export async function loadLists(sources: Readonly<Record<string, ListSource>>): Promise<ReferenceLists> {
  const data: Record<string, ListData> = {};
  for (const [name, { file, kind }] of Object.entries(sources))
    data[name] = file === undefined ? listData(kind, EMPTY) : await loadList(name, file, kind);
  return new ReferenceLists(data);
}

export async function loadList(name: string, file: string, kind: ListKind): Promise<ListData> {
  try {
    return listData(kind, readList(await readFile(file), formatOf(file), kind));
  } catch (error) {
    const at = error instanceof ListFormatError && error.line !== undefined ? `:${error.line}` : '';
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? `There is no such file; see lists.${name}.file in the settings.` : (error as Error).message;
    throw new ListError(`${file}${at}: the list ${name} cannot be read. ${why}`, { cause: error });
  }
}

const EMPTY = readList(new Uint8Array(), 'lines', 'set');
