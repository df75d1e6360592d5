import type { Type } from 'avsc';
import avsc from 'avsc';
import { confluentHeader } from './alert-codec.js';
import { type InputChecker, type InputError, type InputOptions, inputChecker } from './json-input.js';
import { type AvroSchema, AvroSchemaError, isAvroObject, simpleName } from './schema.js';

export interface TransactionEncoderOptions extends InputOptions {
  /** Frames values in Confluent's wire format with this schema id. Absent: plain Avro. */
  readonly registryId?: number;
}

export type EncodeResult =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly errors: readonly InputError[] };

/** Errors told of one record. */
const ERRORS_MAX = 20;

/** Writes JSON input as Avro, by a stream's schema. Wrong input gives all its errors, with their places; nothing throws. */
export class TransactionEncoder {
  private readonly type: Type;
  private readonly check: InputChecker;
  private readonly header: Buffer | null;

  /** Throws `AvroSchemaError` for a schema that does not hold or that has types which cannot be written. */
  constructor(schema: AvroSchema, options: TransactionEncoderOptions = {}) {
    const bare = withoutNamespaces(schema);
    try {
      this.type = avsc.Type.forSchema(bare as never, { wrapUnions: true, omitRecordMethods: true });
    } catch (cause) {
      throw new AvroSchemaError(`Avro schema does not hold: ${(cause as Error).message}`, { cause });
    }
    this.check = inputChecker(bare, options);
    this.header = options.registryId === undefined ? null : confluentHeader(options.registryId);
  }

  encode(input: unknown): EncodeResult {
    const errors: InputError[] = [];
    try {
      const value = this.check(input, '', errors);
      if (errors.length > 0) return { ok: false, errors: errors.slice(0, ERRORS_MAX) };
      const body = this.type.toBuffer(value);
      return { ok: true, bytes: this.header === null ? body : Buffer.concat([this.header, body]) };
    } catch (error) {
      // A recursive schema lets input nest as deep as it likes.
      if (!(error instanceof RangeError)) throw error;
      return { ok: false, errors: [{ path: '', expected: 'less nesting', got: 'more than the stack can hold' }] };
    }
  }
}

/** Names do not appear in what is written; without namespaces a branch of a union is called as people call it. */
function withoutNamespaces(schema: AvroSchema): AvroSchema {
  if (typeof schema === 'string') return simpleName(schema);
  if (!isAvroObject(schema)) return schema.map(withoutNamespaces);
  const { namespace: _, ...rest } = schema;
  return {
    ...rest,
    type: withoutNamespaces(schema.type),
    ...(schema.name === undefined ? {} : { name: simpleName(schema.name) }),
    ...(schema.fields && { fields: schema.fields.map((f) => ({ ...f, type: withoutNamespaces(f.type) })) }),
    ...(schema.items !== undefined && { items: withoutNamespaces(schema.items) }),
    ...(schema.values !== undefined && { values: withoutNamespaces(schema.values) }),
  };
}
