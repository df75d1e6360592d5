/**
 * Reference lists, by name: named sets and maps of texts. What they hold does not change while a rule set is in force, so that
 * conditions that ask them stay pure. Numbers and truth values are asked for by their text: `list('limits', 5)` asks for "5".
 */
export interface Lists {
  has(list: string, value: string): boolean;
  /** Of a map; `undefined` where it has none. */
  get(list: string, key: string): string | undefined;
}

/** Thrown when a rule set that asks a list is compiled without lists. */
export class ListsMissingError extends Error {
  readonly code = 'LISTS_MISSING';
  constructor(readonly list: string) {
    super(`A condition asks the list ${list}, and no lists were given to compile it with.`);
  }
}

export function listsOr(lists: Lists | undefined, list: string): Lists {
  if (lists === undefined) throw new ListsMissingError(list);
  return lists;
}
