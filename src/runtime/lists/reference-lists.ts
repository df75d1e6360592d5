import type { Lists } from '../../engine/index.js';
import type { KnownLists, ListKind } from '../../rules/known-lists.js';
import { TextTable, type TextTableData } from './text-table.js';

/** One list as plain data, which threads share. */
export interface ListData {
  readonly kind: ListKind;
  /** Hex SHA-256 of what it holds. */
  readonly digest: string;
  readonly table: TextTableData;
}

/** The reference lists of a rule set, as they are while it is in force. */
export class ReferenceLists implements Lists {
  private readonly tables: ReadonlyMap<string, TextTable>;

  constructor(readonly data: Readonly<Record<string, ListData>>) {
    this.tables = new Map(Object.entries(data).map(([name, { table }]) => [name, new TextTable(table)]));
  }

  has(list: string, value: string): boolean {
    return this.tables.get(list)?.has(value) ?? false;
  }

  get(list: string, key: string): string | undefined {
    return this.tables.get(list)?.get(key);
  }

  get known(): KnownLists {
    return new Map(Object.entries(this.data).map(([name, { kind }]) => [name, kind]));
  }

  /** Of the lists with these names, by name; those that are not there are left out. */
  digests(names: Iterable<string>): Readonly<Record<string, string>> {
    const found = [...new Set(names)].filter((name) => Object.hasOwn(this.data, name)).sort();
    return Object.fromEntries(found.map((name) => [name, this.data[name]!.digest]));
  }
}

export const NO_LISTS = new ReferenceLists({});

export const listData = (kind: ListKind, table: TextTable): ListData => ({
  kind,
  digest: table.digest(),
  table: table.data,
});
