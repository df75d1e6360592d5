import type { Lists } from '../../engine/index.js';
import type { KnownLists, ListKind } from '../../rules/known-lists.js';
import { type LayeredData, LayeredTable, layeredOf } from './layered-table.js';
import type { TextTable } from './text-table.js';

/** One list as plain data, which threads share. */
export interface ListData extends LayeredData {
  /** Names the version: of one that was put whole the hex SHA-256 of what it holds, of one that was changed since, that of its history. */
  readonly digest: string;
}

/** The reference lists of a rule set, as they are while it is in force. */
export class ReferenceLists implements Lists {
  private readonly tables: ReadonlyMap<string, LayeredTable>;

  constructor(readonly data: Readonly<Record<string, ListData>>) {
    this.tables = new Map(Object.entries(data).map(([name, list]) => [name, new LayeredTable(list)]));
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

/** Lists that give way to others while what was compiled with them goes on. */
export class ListsInForce implements Lists {
  constructor(private now: Lists = NO_LISTS) {}

  become(lists: Lists = NO_LISTS): void {
    this.now = lists;
  }

  has(list: string, value: string): boolean {
    return this.now.has(list, value);
  }

  get(list: string, key: string): string | undefined {
    return this.now.get(list, key);
  }
}

export const listData = (kind: ListKind, table: TextTable): ListData => ({
  ...layeredOf(kind, table),
  digest: table.digest(),
});
