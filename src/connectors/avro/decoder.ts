/**
 * Decoders of Avro records: `confluent` (a zero byte, four bytes of schema id, the value) and `plain` (the value alone).
 *
 *     const decoders = AvroDecoders.confluent({ registry, clock, reader });
 *     const decoder = decoders.decoder(fields);      // again whenever the loaded rules use other fields
 *
 * D1. `decode` and `decodeWhole` never throw: what bytes can do wrong is a `DecodeFailure`.
 * D2. A known schema costs no promise: `prepare` answers `undefined`.
 * D3. One plan (avsc resolver) is made for each schema id and kept.
 */
import { type DecodedRecord, DecodeFailure, type RecordDecoder } from '../../runtime/ports/decoder.js';
import type { LogRecord } from '../../runtime/ports/log.js';
import { compileRecordSchema, Projection, type RecordPlan, type RecordSchema, readRecord } from './projection.js';
import type { AvroSchema } from './schema.js';
import { type SchemaSource, WriterSchemas, type WriterSchemasOptions } from './writer-schemas.js';

/** The wire format: how a value says which schema it was written with. */
export const CONFLUENT_HEADER_BYTES = 5;

export interface ConfluentOptions extends WriterSchemasOptions {
  readonly registry: SchemaSource;
  /** What records are read as. Absent: as they were written. */
  readonly reader?: AvroSchema;
}

export interface PlainOptions {
  /** What records were written with. */
  readonly writer: AvroSchema;
  /** What records are read as. Absent: as they were written. */
  readonly reader?: AvroSchema;
}

/** Makes decoders of one stream; they share schemas. Constructors throw `AvroSchemaError` for schemas that do not hold. */
export class AvroDecoders {
  private constructor(
    private readonly writers: WriterSchemas | RecordSchema,
    private readonly reader: RecordSchema | null,
  ) {}

  static confluent(options: ConfluentOptions): AvroDecoders {
    return new AvroDecoders(new WriterSchemas(options.registry, options), compileReader(options.reader));
  }

  static plain(options: PlainOptions): AvroDecoders {
    return new AvroDecoders(compileRecordSchema(options.writer), compileReader(options.reader));
  }

  /** @param fields to decode: those of the rules, and the stream's key, time, id and type fields. `null`: all. */
  decoder(fields: Iterable<string> | null): RecordDecoder {
    const plans = new Plans(this.reader, fields);
    return this.writers instanceof WriterSchemas
      ? new ConfluentDecoder(this.writers, plans)
      : new PlainDecoder(this.writers, plans);
  }
}

function compileReader(reader: AvroSchema | undefined): RecordSchema | null {
  return reader === undefined ? null : compileRecordSchema(reader);
}

/** How to read a writer's records, for events and whole. */
class Plans {
  private readonly projection: Projection;
  private readonly whole: Projection;
  private readonly asWritten = new Projection(null, null);

  constructor(reader: RecordSchema | null, fields: Iterable<string> | null) {
    this.projection = new Projection(reader, fields);
    this.whole = new Projection(reader, null);
  }

  forEvents(writer: RecordSchema): RecordPlan {
    return this.projection.plan(writer);
  }

  /** A record that the rules' fields can be read of must be explainable, even where the rest does not fit the reader. */
  forWhole(writer: RecordSchema): RecordPlan {
    const plan = this.whole.plan(writer);
    const asWritten = this.asWritten.plan(writer);
    const branches = plan.branches.map((branch, i) => (branch.failure === null ? branch : asWritten.branches[i]!));
    return { isUnion: plan.isUnion, branches };
  }
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function emptyValue(): DecodeFailure {
  return new DecodeFailure('empty-value', 'the record has no value');
}

class PlainDecoder implements RecordDecoder {
  private readonly plan: RecordPlan;
  private readonly wholePlan: RecordPlan;

  constructor(writer: RecordSchema, plans: Plans) {
    this.plan = plans.forEvents(writer);
    this.wholePlan = plans.forWhole(writer);
  }

  schemaOf(): number {
    return -1;
  }

  prepare(): undefined {
    return undefined;
  }

  decode(record: LogRecord): DecodedRecord | DecodeFailure {
    const { value } = record;
    return value === null || value.length === 0 ? emptyValue() : readRecord(this.plan, asBuffer(value), 0);
  }

  decodeWhole(value: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    const result = value.length === 0 ? emptyValue() : readRecord(this.wholePlan, asBuffer(value), 0);
    return result instanceof DecodeFailure ? result : result.fields;
  }
}

/** The schema id in a value's header, or `null` when there is no such header. */
export function confluentSchemaId(value: Uint8Array): number | null {
  if (value.length < CONFLUENT_HEADER_BYTES || value[0] !== 0) return null;
  return idAt(value, 0);
}

function idAt(value: Uint8Array, start: number): number {
  return ((value[start + 1]! << 24) | (value[start + 2]! << 16) | (value[start + 3]! << 8) | value[start + 4]!) >>> 0;
}

function notFramed(value: Uint8Array): DecodeFailure {
  const why =
    value.length < CONFLUENT_HEADER_BYTES
      ? `the value has ${value.length} bytes, fewer than the header's 5`
      : `the value begins with byte ${value[0]}, not 0`;
  return new DecodeFailure('not-confluent-framed', why);
}

class ConfluentDecoder implements RecordDecoder {
  private readonly plans = new Map<number, RecordPlan>();
  private readonly wholePlans = new Map<number, RecordPlan>();
  /** The last id used and its plan: nearly always that of the next record. */
  private lastId = -1;
  private lastPlan: RecordPlan | null = null;

  constructor(
    private readonly writers: WriterSchemas,
    private readonly planner: Plans,
  ) {}

  schemaOf(bytes: Uint8Array, start: number, end: number): number {
    return end - start < CONFLUENT_HEADER_BYTES || bytes[start] !== 0 ? -1 : idAt(bytes, start);
  }

  prepare(records: readonly LogRecord[], signal: AbortSignal): Promise<void> | undefined {
    let missing: Set<number> | undefined;
    let previous = this.lastId;
    for (const { value } of records) {
      if (value === null) continue;
      const id = confluentSchemaId(value);
      if (id === null || id === previous) continue;
      previous = id;
      if (!this.writers.isSettled(id)) missing = (missing ?? new Set()).add(id);
    }
    if (missing === undefined) return undefined;
    return Promise.all([...missing].map((id) => this.writers.load(id, signal))).then(() => undefined);
  }

  decode(record: LogRecord): DecodedRecord | DecodeFailure {
    const { value } = record;
    if (value === null || value.length === 0) return emptyValue();
    const id = confluentSchemaId(value);
    if (id === null) return notFramed(value);
    if (id !== this.lastId) {
      const plan = this.planFor(id);
      if (plan instanceof DecodeFailure) return plan;
      this.lastId = id;
      this.lastPlan = plan;
    }
    return readRecord(this.lastPlan!, asBuffer(value), CONFLUENT_HEADER_BYTES);
  }

  decodeWhole(value: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    if (value.length === 0) return emptyValue();
    const id = confluentSchemaId(value);
    if (id === null) return notFramed(value);
    let plan = this.wholePlans.get(id);
    if (plan === undefined) {
      const writer = this.writers.get(id);
      if (writer instanceof DecodeFailure) return writer;
      plan = this.planner.forWhole(writer);
      this.wholePlans.set(id, plan);
    }
    const result = readRecord(plan, asBuffer(value), CONFLUENT_HEADER_BYTES);
    return result instanceof DecodeFailure ? result : result.fields;
  }

  private planFor(id: number): RecordPlan | DecodeFailure {
    let plan = this.plans.get(id);
    if (plan === undefined) {
      const writer = this.writers.get(id);
      if (writer instanceof DecodeFailure) return writer;
      plan = this.planner.forEvents(writer);
      this.plans.set(id, plan);
    }
    return plan;
  }
}
