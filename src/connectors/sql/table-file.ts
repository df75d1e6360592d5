import { type DecodedRecord, DecodeFailure } from '../../runtime/ports/decoder.js';
import type { AvroField, AvroSchema } from '../avro/schema.js';
import { INFERRED_RECORD_NAME } from '../file/formats/infer-schema.js';
import type { Mark, RecordFile, RowBatch } from '../file/record-file.js';
import type { SqlColumn, SqlDatabase, SqlPage, SqlType } from './sql-database.js';
import { type TableOrQuery, tableOrQuery, timeOfText } from './table.js';
import { TableError } from './table-error.js';

export interface TableFileOptions extends TableOrQuery {
  /** Columns by which rows are read: no two rows have the same values in them. */
  readonly order: readonly string[];
  /** Rows that are read at once. */
  readonly pageRows: number;
  /** What records are read as, where it is not what the columns are. */
  readonly schema?: AvroSchema;
  /** Values of `order` of the last row; of another reader of the same table, that both read the same rows. Absent: the last there is. */
  readonly last?: readonly string[] | null;
  /** What is being read is given up when it aborts, with its reason. */
  readonly signal?: AbortSignal;
}

type Row = SqlPage['rows'][number];

/** A row as what it says, and its values of `order`: where it stands. */
export interface PlacedRow {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly place: readonly string[];
}

/** Stands for the bytes of a row, which nobody knows, where progress is told. */
const BYTES_OF_ROW = 100;
const AVRO: Readonly<Record<SqlType, string>> = {
  integer: 'long',
  number: 'double',
  boolean: 'boolean',
  time: 'long',
  text: 'string',
};

/**
 * The rows of a table or query, in the order of some of its columns, up to the last one that there was when it was opened. They are read
 * in pages, each from where the one before ended: no transaction stays open, and memory is that of a page.
 *
 * Times become milliseconds since 1970. A whole number that a double cannot hold stays a text.
 */
export class TableFile implements RecordFile {
  readonly format = 'table';
  readonly layout = '';
  /** Places of the order's columns. */
  private readonly ordered: readonly number[];

  private constructor(
    readonly path: string,
    readonly schema: AvroSchema,
    /** Values of the order's columns in its last row; `null`: it has no row. */
    readonly last: readonly string[] | null,
    private readonly rowsTotal: number,
    private readonly columns: readonly SqlColumn[],
    private readonly database: SqlDatabase,
    private readonly options: TableFileOptions,
  ) {
    this.ordered = this.placesOf(options.order);
  }

  /** Throws `SqlError`, and `TableError` where the columns of the order are not there, or NULL in some row. */
  static async open(database: SqlDatabase, options: TableFileOptions): Promise<TableFile> {
    const { product, address, database: name } = database.at;
    const path = `${options.name ?? 'a query'} in ${product} at ${address}/${name}`;
    const query = new TableQuery(database, options);
    const ask = (text: string): Promise<SqlPage> => first(database, text, [], options.signal);
    const { columns } = await ask(query.columns());
    const missing = options.order.find((column) => !columns.some((one) => one.name === column));
    if (missing !== undefined)
      throw new TableError(path, `it has no column ${missing}, by which it would be read (table.order)`);
    const last = options.last === undefined ? ((await ask(query.last())).rows[0] ?? null) : options.last;
    const counts = (await ask(query.counts(columns))).rows[0]!.map(Number);
    const [rows = 0, ...present] = counts;
    for (const column of options.order)
      if (present[columns.findIndex(({ name: own }) => own === column)]! < rows)
        throw new TableError(
          path,
          `${column} is NULL in some rows, which have no place in its order: leave them out in a query`,
        );
    const fields = columns.map((column, n) => fieldOf(column, present[n]! < rows));
    const schema = options.schema ?? ({ type: 'record', name: INFERRED_RECORD_NAME, fields } as AvroSchema);
    return new TableFile(path, schema, last as readonly string[] | null, rows, columns, database, options);
  }

  get bytesTotal(): number {
    return this.rowsTotal * BYTES_OF_ROW;
  }

  /** A mark is the number of a row; the pages before it are read again, and not given. */
  async *batches(fields: Iterable<string> | null, [begin = 0]: Mark = []): AsyncGenerator<RowBatch> {
    const wanted = fields === null ? this.names : [...new Set(fields)];
    const places = this.placesOf(wanted);
    let first = 0;
    for await (const own of this.pages(null)) {
      if (first < begin) {
        first += own.length;
        continue;
      }
      const decoded = own.map(
        (row): DecodedRecord => ({ fields: this.valuesOf(row, wanted, places), recordName: INFERRED_RECORD_NAME }),
      );
      const raw = (index: number): Buffer => Buffer.from(JSON.stringify(own[index]));
      yield { rows: decoded, first, mark: [first], bytesRead: (first + own.length) * BYTES_OF_ROW, raw };
      first += own.length;
    }
  }

  /** Whole rows behind the one at a place, in pages; `null`: all. */
  async *rowsAfter(after: readonly string[] | null): AsyncGenerator<readonly PlacedRow[]> {
    const { names } = this;
    const places = this.placesOf(names);
    for await (const own of this.pages(after))
      yield own.map((row) => ({ fields: this.valuesOf(row, names, places), place: this.placeOf(row) }));
  }

  decodeWhole(raw: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    const row = JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString()) as Row;
    return this.valuesOf(row, this.names, this.placesOf(this.names));
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private get names(): readonly string[] {
    return this.columns.map(({ name }) => name);
  }

  private placesOf(names: readonly string[]): readonly number[] {
    return names.map((name) => this.columns.findIndex((column) => column.name === name));
  }

  private placeOf(row: Row): readonly string[] {
    return this.ordered.map((place) => row[place]!);
  }

  /** The next page is read while one is processed; who does not ask for it hears nothing of it. */
  private async *pages(after: readonly string[] | null): AsyncGenerator<readonly Row[]> {
    const { pageRows } = this.options;
    let next: Promise<SqlPage> | null = this.last === null ? null : this.page(after);
    while (next !== null) {
      const { rows }: SqlPage = await next;
      if (rows.length === 0) return;
      // One more than asked for tells whether there are more, and whether the order tells rows apart.
      const own: readonly Row[] = rows.length > pageRows ? rows.slice(0, pageRows) : rows;
      this.checkOrder(rows);
      next = own.length < rows.length ? this.page(this.placeOf(own.at(-1)!)) : null;
      next?.catch(() => undefined);
      yield own;
    }
  }

  private page(after: readonly string[] | null): Promise<SqlPage> {
    const { database, options, last } = this;
    const { text, values } = new TableQuery(database, options).page(after, last!);
    return first(database, text, values, options.signal);
  }

  /** Rows that the order does not tell apart could be passed over between two pages. */
  private checkOrder(rows: readonly Row[]): void {
    let before = '';
    for (const row of rows) {
      const key = JSON.stringify(this.placeOf(row));
      if (key === before) {
        const columns = this.options.order.join(', ');
        throw new TableError(
          this.path,
          `two rows have the same ${columns} (${this.placeOf(row).join(', ')}): name one column more in table.order`,
        );
      }
      before = key;
    }
  }

  private valuesOf(row: Row, names: readonly string[], places: readonly number[]): Readonly<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    for (const [n, name] of names.entries()) {
      const place = places[n]!;
      values[name] = place < 0 ? null : cellOf(row[place]!, this.columns[place]!.type);
    }
    return values;
  }
}

/** What is asked of a table. */
class TableQuery {
  private readonly from: string;
  private readonly order: readonly string[];

  constructor(
    private readonly database: SqlDatabase,
    private readonly options: TableFileOptions,
  ) {
    this.from = tableOrQuery(database, options);
    this.order = options.order.map((column) => database.name(column));
  }

  columns(): string {
    return `SELECT * FROM ${this.from} LIMIT 0`;
  }

  last(): string {
    const known = this.order.map((column) => `${column} IS NOT NULL`).join(' AND ');
    const backwards = this.order.map((column) => `${column} DESC`).join(', ');
    return `SELECT ${this.order.join(', ')} FROM ${this.from} WHERE ${known} ORDER BY ${backwards} LIMIT 1`;
  }

  /** Rows, and of each column those in which it is not NULL. */
  counts(columns: readonly SqlColumn[]): string {
    const present = columns.map(({ name }) => `count(${this.database.name(name)})`);
    return `SELECT ${['count(*)', ...present].join(', ')} FROM ${this.from}`;
  }

  /** One row more than a page, after one key and up to another. */
  page(after: readonly string[] | null, last: readonly string[]): { readonly text: string; readonly values: string[] } {
    const values: string[] = [];
    const bound = (keys: readonly string[], operator: '<' | '>', isIncluded: boolean): string =>
      this.beyond(keys, operator, isIncluded, (value) => this.database.placeholder(values.push(value)));
    const bounds = [...(after === null ? [] : [bound(after, '>', false)]), bound(last, '<', true)];
    const text = `SELECT * FROM ${this.from} WHERE ${bounds.join(' AND ')} ORDER BY ${this.order.join(', ')} LIMIT ${this.options.pageRows + 1}`;
    return { text, values };
  }

  /**
   * Whether the columns of the order are beyond these values: `a >= x AND (a > x OR (b >= y AND (b > y OR …)))`, which either database
   * finds by the index.
   */
  private beyond(
    [value, ...rest]: readonly string[],
    operator: '<' | '>',
    isIncluded: boolean,
    bind: (value: string) => string,
    place = 0,
  ): string {
    const column = this.order[place]!;
    if (rest.length === 0) return `${column} ${operator}${isIncluded ? '=' : ''} ${bind(value!)}`;
    const isNear = `${column} ${operator}= ${bind(value!)}`;
    const isFar = `${column} ${operator} ${bind(value!)}`;
    return `(${isNear} AND (${isFar} OR ${this.beyond(rest, operator, isIncluded, bind, place + 1)}))`;
  }
}

async function first(
  database: SqlDatabase,
  text: string,
  values: readonly string[],
  signal: AbortSignal = NEVER,
): Promise<SqlPage> {
  const pages: SqlPage[] = [];
  for await (const page of database.scan(text, values, signal)) pages.push(page);
  return { columns: pages[0]!.columns, rows: pages.flatMap(({ rows }) => rows) };
}

const NEVER = new AbortController().signal;

function fieldOf({ name, type }: SqlColumn, isNullable: boolean): AvroField {
  const avro = AVRO[type];
  return { name, type: isNullable ? ['null', avro] : avro };
}

function cellOf(text: string | null, type: SqlType): unknown {
  if (text === null) return null;
  switch (type) {
    case 'integer': {
      const value = Number(text);
      return Number.isSafeInteger(value) ? value : text;
    }
    case 'number':
      return Number(text);
    case 'boolean':
      return text === 'true';
    case 'time':
      return timeOfText(text);
    case 'text':
      return text;
  }
}
