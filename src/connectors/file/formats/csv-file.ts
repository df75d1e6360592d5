import type { FileHandle } from 'node:fs/promises';
import { type DecodedRecord, DecodeFailure } from '../../../runtime/ports/decoder.js';
import type { AvroField, AvroSchema } from '../../avro/schema.js';
import { RecordFileError } from '../file-error.js';
import { type Mark, openAs, type RecordFile, type RowBatch } from '../record-file.js';
import { type CsvChunk, fieldsOf, readCsv, separatorOf } from './csv-records.js';
import { INFERRED_RECORD_NAME, inferSchema } from './infer-schema.js';

const ROWS_TO_INFER_FROM = 1_000;

/** What the texts of a column stand for. */
type ColumnKind = 'number' | 'boolean' | 'text';

interface Layout {
  readonly separator: number;
  readonly names: readonly string[];
  readonly kinds: readonly ColumnKind[];
}

/**
 * CSV as rows: the first record names the fields. A column is numbers, or true and false, if all of its first 1,000 values are, or
 * if the schema says so; a number with a leading zero is text, as an id or a postcode is. An empty field is null.
 */
export class CsvFile implements RecordFile {
  readonly format = 'csv';

  private constructor(
    readonly path: string,
    readonly bytesTotal: number,
    readonly schema: AvroSchema,
    private readonly handle: FileHandle,
    private readonly columns: Layout,
  ) {}

  /** Throws `RecordFileError`. */
  static open(path: string, schema?: AvroSchema): Promise<CsvFile> {
    return openAs(path, async (handle, size) => {
      const { layout, rows } = await look(handle, path, size, schema);
      return new CsvFile(path, size, schema ?? inferSchema(rows), handle, layout);
    });
  }

  get layout(): string {
    return JSON.stringify(this.columns);
  }

  /** A mark is where a record begins, its number, the header included, and that of its row. */
  async *batches(fields: Iterable<string> | null, from: Mark = []): AsyncGenerator<RowBatch> {
    const wanted = fields === null ? null : [...new Set(fields)];
    const [start = 0, record = 0, row = 0] = from;
    let first = row;
    for await (const chunk of readCsv(this.handle, this.path, this.bytesTotal, { start, first: record })) {
      const rows: DecodedRecord[] = [];
      const places: number[] = [];
      eachRow(chunk, this.path, this.columns, (texts, place) => {
        rows.push({ fields: valuesOf(texts, this.columns, wanted), recordName: INFERRED_RECORD_NAME });
        places.push(place);
      });
      if (rows.length === 0) continue;
      const { data, records } = chunk;
      const { starts } = records;
      const raw = (index: number) => data.subarray(starts[places[index]!], starts[places[index]! + 1]);
      yield { rows, first, mark: [chunk.start, chunk.first, first], bytesRead: chunk.end, raw };
      first += rows.length;
    }
  }

  decodeWhole(raw: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    const { separator, names } = this.columns;
    const data = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    const texts = fieldsOf(data, 0, data.length, separator);
    if (texts.length === names.length) return valuesOf(texts, this.columns, null);
    return new DecodeFailure('malformed', `it has ${texts.length} fields, not ${names.length}`);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Reads the header and the first rows, and finds out what their columns are. */
async function look(handle: FileHandle, path: string, size: number, schema: AvroSchema | undefined) {
  const texts: (readonly string[])[] = [];
  let layout: Layout | null = null;
  for await (const chunk of readCsv(handle, path, size)) {
    layout ??= headerOf(chunk);
    const known = layout;
    eachRow(chunk, path, known, (row) => texts.length < ROWS_TO_INFER_FROM && texts.push(row));
    if (texts.length >= ROWS_TO_INFER_FROM) break;
  }
  if (layout === null) {
    throw new RecordFileError('FILE_FORMAT', path, 0, `${path}: it is empty, without the names of its fields`);
  }
  const { names } = layout;
  const said = fieldsOfSchema(schema);
  const kinds = names.map((name, index) => {
    const field = said.get(name);
    return field === undefined ? inferred(texts.map((row) => row[index]!)) : kindOf(field);
  });
  const typed = { ...layout, kinds };
  return { layout: typed, rows: texts.map((row) => valuesOf(row, typed, null)) };
}

function headerOf({ data, records: { starts } }: CsvChunk): Layout {
  const begin = data.subarray(0, 3).equals(Buffer.from('\ufeff')) ? 3 : 0;
  const separator = separatorOf(data.subarray(begin, starts[1]));
  const names = fieldsOf(data, begin, starts[1]!, separator).map((name) => name.trim());
  return { separator, names, kinds: names.map(() => 'text') };
}

/** Calls `take` with each row that is not blank, and its place in the chunk. The header is passed over. */
function eachRow(
  { data, records: { starts }, first }: CsvChunk,
  path: string,
  { separator, names }: Layout,
  take: (texts: readonly string[], place: number) => void,
): void {
  for (let place = first === 0 ? 1 : 0; place < starts.length - 1; place++) {
    const texts = fieldsOf(data, starts[place]!, starts[place + 1]!, separator);
    if (texts.length === 1 && texts[0] === '' && names.length > 1) continue;
    if (texts.length !== names.length) {
      const why = `it has ${texts.length} fields, and the header names ${names.length}`;
      throw new RecordFileError('FILE_CORRUPT', path, first + place, `${path}, record ${first + place + 1}: ${why}`);
    }
    take(texts, place);
  }
}

function valuesOf(
  texts: readonly string[],
  { names, kinds }: Layout,
  wanted: readonly string[] | null,
): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = {};
  if (wanted === null) for (const [index, name] of names.entries()) row[name] = cellOf(texts[index]!, kinds[index]!);
  else {
    for (const name of wanted) {
      const index = names.indexOf(name);
      row[name] = index < 0 ? null : cellOf(texts[index]!, kinds[index]!);
    }
  }
  return row;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const DIGITS_MAX = 15;

/** A text that does not fit its column stays what it is: conditions on it are then not met. */
function cellOf(text: string, kind: ColumnKind): unknown {
  if (text === '') return null;
  if (kind === 'number' && NUMBER.test(text)) return Number(text);
  if (kind === 'boolean' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
}

function inferred(texts: readonly string[]): ColumnKind {
  const given = texts.filter((text) => text !== '');
  if (given.length === 0) return 'text';
  // More digits than a number keeps: an id.
  if (given.every((text) => NUMBER.test(text) && text.replace(/\D/g, '').length <= DIGITS_MAX)) return 'number';
  return given.every((text) => /^(true|false)$/i.test(text)) ? 'boolean' : 'text';
}

function fieldsOfSchema(schema: AvroSchema | undefined): ReadonlyMap<string, AvroField> {
  const fields =
    typeof schema === 'object' && !Array.isArray(schema) && 'fields' in schema ? (schema.fields ?? []) : [];
  return new Map((fields as readonly AvroField[]).map((field) => [field.name, field]));
}

const NUMBERS = new Set(['int', 'long', 'float', 'double']);

function kindOf({ type }: AvroField): ColumnKind {
  const types = (Array.isArray(type) ? type : [type]).map((one) => (typeof one === 'object' ? one.type : one));
  if (types.some((name) => typeof name === 'string' && NUMBERS.has(name))) return 'number';
  return types.includes('boolean') ? 'boolean' : 'text';
}
