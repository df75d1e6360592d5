/** A set is asked whether it holds a value; a map has a text for each of its keys as well. */
export type ListKind = 'set' | 'map';

/** The reference lists that conditions may name. */
export type KnownLists = ReadonlyMap<string, ListKind>;
