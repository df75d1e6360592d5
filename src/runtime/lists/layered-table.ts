import type { ListKind } from '../../rules/known-lists.js';
import { TableBuilder } from './table-builder.js';
import { type TextKey, TextTable, type TextTableData, textKey } from './text-table.js';

/** What was put, and what was taken away, over what lies below. No key is in both. */
export interface ListLayer {
  readonly put: TextTableData;
  /** A set. */
  readonly gone: TextTableData;
}

/** What a list holds: a table, and what was changed since. Plain data, which threads share; it never changes. */
export interface LayeredData {
  readonly kind: ListKind;
  readonly table: TextTableData;
  /** The latest one last. */
  readonly layers: readonly ListLayer[];
  readonly size: number;
}

/** Entries to put, with their values in a map, and keys to take away. No key is in both, or in one of them twice. */
export interface ListChange {
  readonly put: readonly (readonly [key: string, value: string])[];
  readonly remove: readonly string[];
}

/** A layer goes into the one below when it is not so many times smaller: an entry is written again a few times, whatever the list's size. */
const RATIO = 8;

interface Layer {
  readonly put: TextTable;
  readonly gone: TextTable | null;
}

type TakePlace = (table: TextTable, at: number) => void;

/** Looks entries up, in the latest layer first. */
export class LayeredTable {
  private readonly layers: readonly Layer[];

  constructor(readonly data: LayeredData) {
    this.layers = [
      { put: new TextTable(data.table), gone: null },
      ...data.layers.map(({ put, gone }) => ({ put: new TextTable(put), gone: new TextTable(gone) })),
    ];
  }

  get size(): number {
    return this.data.size;
  }

  has(text: string): boolean {
    return this.tableOf(textKey(text)) !== null;
  }

  get(text: string): string | undefined {
    const key = textKey(text);
    const table = this.tableOf(key);
    return table === null ? undefined : table.valueAt(table.find(key));
  }

  /** Every entry once, in an order that is the same for the same data. */
  *entries(): Generator<readonly [key: string, value: string]> {
    for (const [n, { put }] of this.layers.entries()) {
      const above = this.layers.slice(n + 1);
      for (let at = 0; at < put.size; at++) if (!isIn(above, put, at)) yield [put.keyAt(at), put.valueAt(at)];
    }
  }

  /** The same as places in tables. */
  each(take: TakePlace): void {
    for (const [n, { put }] of this.layers.entries()) {
      const above = this.layers.slice(n + 1);
      for (let at = 0; at < put.size; at++) if (!isIn(above, put, at)) take(put, at);
    }
  }

  /** The table that holds it; `null`: none. */
  tableOf(key: TextKey): TextTable | null {
    for (let n = this.layers.length - 1; n >= 0; n--) {
      const { put, gone } = this.layers[n]!;
      if (put.find(key) >= 0) return put;
      if (gone !== null && gone.find(key) >= 0) return null;
    }
    return null;
  }
}

const isIn = (layers: readonly Layer[], table: TextTable, at: number): boolean => {
  if (layers.length === 0) return false;
  const key = table.textKeyAt(at);
  return layers.some(({ put, gone }) => put.find(key) >= 0 || (gone !== null && gone.find(key) >= 0));
};

export const layeredOf = (kind: ListKind, { data }: TextTable): LayeredData => ({
  ...{ kind, table: data, layers: [], size: data.size },
});

/** What of a change would change something. Of a key that is there twice the last counts, and one that is put is not taken away. */
export function effectiveIn(data: LayeredData, { put, remove }: ListChange): ListChange {
  const table = new LayeredTable(data);
  const last = new Map(put);
  const isMap = data.kind === 'map';
  const differs = (key: string, value: string): boolean => (isMap ? table.get(key) !== value : !table.has(key));
  return {
    put: [...last].filter(([key, value]) => differs(key, value)),
    remove: [...new Set(remove)].filter((key) => !last.has(key) && table.has(key)),
  };
}

/** The list after a change of which all is effective. It shares what did not change. */
export function changedBy(data: LayeredData, { put, remove }: ListChange): LayeredData {
  if (put.length === 0 && remove.length === 0) return data;
  const before = new LayeredTable(data);
  const added = put.reduce((n, [key]) => (before.has(key) ? n : n + 1), 0);
  const top: ListLayer = { put: tableOf(put, data.kind).data, gone: tableOf(remove.map(setEntry), 'set').data };
  const layers = settled([...data.layers, top], data.table.size, data.kind);
  const size = data.size + added - remove.length;
  if (layers.length > 0 && weightOf(layers[0]!) * RATIO > data.table.size)
    return layeredOf(data.kind, wholeOf({ ...data, layers, size }));
  return { ...data, layers, size };
}

/** All in one table. */
export function wholeOf(data: LayeredData): TextTable {
  if (data.layers.length === 0) return new TextTable(data.table);
  const tables = [data.table, ...data.layers.map(({ put }) => put)];
  return joined(tables, data.kind === 'map', (take) => new LayeredTable(data).each(take));
}

/** What makes the one of the other. */
export function differenceOf(before: LayeredData, after: TextTable): ListChange {
  const old = new LayeredTable(before);
  const isMap = before.kind === 'map';
  const put: [string, string][] = [];
  let added = 0;
  for (let at = 0; at < after.size; at++) {
    const key = after.textKeyAt(at);
    const table = old.tableOf(key);
    if (table === null) added++;
    if (table === null || (isMap && !sameValue(table, table.find(key), after, at)))
      put.push([after.keyAt(at), isMap ? after.valueAt(at) : '']);
  }
  const removed = before.size + added - after.size;
  if (removed === 0) return { put, remove: [] };
  const remove: string[] = [];
  old.each((table, at) => {
    if (after.find(table.textKeyAt(at)) < 0) remove.push(table.keyAt(at));
  });
  return { put, remove };
}

function sameValue(a: TextTable, i: number, b: TextTable, j: number): boolean {
  const [from, to] = [a.placeAt(i), b.placeAt(j)];
  const length = from.valueTo - from.valueFrom;
  if (length !== to.valueTo - to.valueFrom) return false;
  for (let n = 0; n < length; n++)
    if (a.data.values[from.valueFrom + n] !== b.data.values[to.valueFrom + n]) return false;
  return true;
}

const weightOf = ({ put, gone }: ListLayer): number => put.size + gone.size;

/** Layers of which each is much smaller than the one below. */
function settled(layers: readonly ListLayer[], base: number, kind: LayeredData['kind']): readonly ListLayer[] {
  const settledOnes = [...layers];
  for (;;) {
    const [below, top] = settledOnes.slice(-2);
    if (top === undefined || weightOf(top) * RATIO <= weightOf(below!)) return settledOnes;
    // What goes into the table itself need not be made one layer first.
    if (settledOnes.length === 2 && (weightOf(below!) + weightOf(top)) * RATIO > base) return settledOnes;
    settledOnes.splice(-2, 2, merged(below!, top, kind));
  }
}

function merged(below: ListLayer, top: ListLayer, kind: LayeredData['kind']): ListLayer {
  const [lowPut, lowGone] = [new TextTable(below.put), new TextTable(below.gone)];
  const [put, gone] = [new TextTable(top.put), new TextTable(top.gone)];
  return {
    put: joined([below.put, top.put], kind === 'map', (take) => {
      eachBut(gone, lowPut, take);
      eachBut(null, put, take);
    }).data,
    gone: joined([below.gone, top.gone], false, (take) => {
      eachBut(put, lowGone, take);
      eachBut(null, gone, take);
    }).data,
  };
}

function eachBut(without: TextTable | null, table: TextTable, take: TakePlace): void {
  for (let at = 0; at < table.size; at++)
    if (without === null || without.find(table.textKeyAt(at)) < 0) take(table, at);
}

/** Entries of some tables in one. Of an entry that is there twice the last one counts. */
function joined(of: readonly TextTableData[], isMap: boolean, each: (take: TakePlace) => void): TextTable {
  const bytes = new Uint8Array(of.reduce((n, { keys, values }) => n + keys.length + values.length, 0));
  const begins = new Map<TextTableData, number>();
  let at = 0;
  for (const data of of) {
    begins.set(data, at);
    bytes.set(data.keys, at);
    bytes.set(data.values, at + data.keys.length);
    at += data.keys.length + data.values.length;
  }
  const builder = new TableBuilder(bytes, isMap);
  each((table, entry) => {
    const keys = begins.get(table.data)!;
    const values = keys + table.data.keys.length;
    const { keyFrom, keyTo, valueFrom, valueTo } = table.placeAt(entry);
    builder.add(keys + keyFrom, keys + keyTo, values + valueFrom, values + valueTo);
  });
  return builder.build();
}

const setEntry = (key: string): [string, string] => [key, ''];
const encoder = new TextEncoder();

/** Of an entry that is there twice the last one counts. */
export function tableOf(entries: Iterable<readonly [string, string]>, kind: LayeredData['kind']): TextTable {
  const parts: Uint8Array[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const entry of entries) {
    for (const text of entry) {
      const part = encoder.encode(text);
      parts.push(part);
      at += part.length;
      ends.push(at);
    }
  }
  const bytes = new Uint8Array(at);
  for (const [i, part] of parts.entries()) bytes.set(part, ends[i]! - part.length);
  const builder = new TableBuilder(bytes, kind === 'map');
  for (let i = 0; i < ends.length; i += 2) builder.add(ends[i - 1] ?? 0, ends[i]!, ends[i]!, ends[i + 1]!);
  return builder.build();
}
