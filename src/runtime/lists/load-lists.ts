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

/** Reads the lists of the settings. Throws `ListError` for the first that cannot be read. */
export async function loadLists(sources: Readonly<Record<string, ListSource>>): Promise<ReferenceLists> {
  const data: Record<string, ListData> = {};
  for (const [name, source] of Object.entries(sources)) data[name] = await loadList(name, source);
  return new ReferenceLists(data);
}

export async function loadList(name: string, { file, kind }: ListSource): Promise<ListData> {
  if (file === undefined) throw new ListError(`lists.${name}.file says nothing: the list cannot be read.`);
  try {
    return listData(kind, readList(await readFile(file), formatOf(file), kind));
  } catch (error) {
    const at = error instanceof ListFormatError && error.line !== undefined ? `:${error.line}` : '';
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? `There is no such file; see lists.${name}.file in the settings.` : (error as Error).message;
    throw new ListError(`${file}${at}: the list ${name} cannot be read. ${why}`, { cause: error });
  }
}
