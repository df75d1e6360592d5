/**
 * How the records of one writer's schema are read: which fields, as which reader schema, by which avsc resolver.
 *
 * P1. A projection has one record type for each record of the reader, whatever the number of writers: fields objects of
 *     one kind have one shape.
 * P2. A field that is asked for and that the record's schema does not have reads as null.
 * P3. Making a plan never throws for a writer's schema: what cannot be read is a branch with a failure.
 */
import type { Type, types } from 'avsc';
import { DecodeFailure } from '../../runtime/ports/decoder.js';
import { plainRecordType, readType } from './read-types.js';
import { type AvroObject, type AvroSchema, AvroSchemaError, namedTypes, recordNames, simpleName } from './schema.js';

type RecordType = types.RecordType;
type Resolver = ReturnType<Type['createResolver']>;

/** One record of a schema: the whole schema, or a branch of the union at its top. */
export interface RecordBranch {
  /** Name by which rules know it. */
  readonly name: string;
  /** `null`: not a record (the null of an optional record). */
  readonly type: RecordType | null;
  readonly definition: AvroObject | null;
}

/** A compiled schema whose top is a record or a union of records. */
export interface RecordSchema {
  readonly json: AvroSchema;
  readonly isUnion: boolean;
  readonly branches: readonly RecordBranch[];
}

function isRecordType(type: Type): type is RecordType {
  return type.typeName === 'record' || type.typeName === 'error';
}

/** Compiles a schema for reading. Throws `AvroSchemaError` for a bad schema, or one without a record at its top. */
export function compileRecordSchema(json: AvroSchema, references: readonly AvroSchema[] = []): RecordSchema {
  let top: Type;
  try {
    top = readType(json, references);
  } catch (cause) {
    throw new AvroSchemaError(`Avro schema does not hold: ${(cause as Error).message}`, { cause });
  }
  const isUnion = top.typeName.startsWith('union');
  const branchTypes = isUnion ? (top as types.WrappedUnionType).types : [top];
  if (!branchTypes.some(isRecordType) || !branchTypes.every((t) => isRecordType(t) || t.typeName === 'null')) {
    throw new AvroSchemaError(`A stream's schema is a record or a union of records, not ${top.typeName}`);
  }
  const definitions = namedTypes(json);
  for (const reference of references) namedTypes(reference, definitions);
  const names = recordNames(branchTypes.map((type) => type.name ?? type.typeName));
  return {
    json,
    isUnion,
    branches: branchTypes.map((type, i) => ({
      name: names[i]!,
      type: isRecordType(type) ? type : null,
      definition: definitions.get(type.name ?? '') ?? null,
    })),
  };
}

/** How records of one branch of the writer are read. */
export interface BranchPlan {
  readonly recordName: string;
  readonly type: Type | null;
  /** Absent: the writer's own schema is read as it is. */
  readonly resolver: Resolver | undefined;
  /** Instead of `type`: why records of this branch cannot be read. */
  readonly failure: DecodeFailure | null;
  /** What was written, to find the place of a fault. */
  readonly writer: RecordType | null;
}

export interface RecordPlan {
  readonly isUnion: boolean;
  readonly branches: readonly BranchPlan[];
}

/** Reads records of any writer's schema as some fields of the reader's. */
export class Projection {
  private readonly projected = new Map<RecordType, RecordType>();
  private readonly fields: readonly string[] | null;

  /**
   * @param reader `null`: each writer's own schema
   * @param fields `null`: all
   */
  constructor(
    private readonly reader: RecordSchema | null,
    fields: Iterable<string> | null,
  ) {
    this.fields = fields && [...new Set(fields)];
  }

  plan(writer: RecordSchema): RecordPlan {
    return { isUnion: writer.isUnion, branches: writer.branches.map((branch) => this.planBranch(branch)) };
  }

  private planBranch(writer: RecordBranch): BranchPlan {
    const failed = (failure: DecodeFailure): BranchPlan => ({
      recordName: writer.name,
      type: null,
      resolver: undefined,
      failure,
      writer: writer.type,
    });
    if (writer.type === null) return failed(new DecodeFailure('empty-value', 'the record is null'));
    let reason = 'the reader schema has no record of this name or alias';
    for (const reader of this.candidates(writer)) {
      const target = this.project(reader);
      if (target === writer.type) {
        return { recordName: reader.name, type: target, resolver: undefined, failure: null, writer: writer.type };
      }
      try {
        const resolver = target.createResolver(writer.type, { ignoreNamespaces: true });
        return { recordName: reader.name, type: target, resolver, failure: null, writer: writer.type };
      } catch (error) {
        reason = (error as Error).message;
      }
    }
    return failed(new DecodeFailure('incompatible-schema', `${writer.type.name} cannot be read: ${reason}`));
  }

  /** Records of the reader that may be this one: same name first, then by alias. */
  private candidates(writer: RecordBranch): readonly RecordBranch[] {
    if (this.reader === null) return [writer];
    const name = simpleName(writer.type?.name ?? '');
    const isNamed = (full: string | undefined) => full !== undefined && simpleName(full) === name;
    const records = this.reader.branches.filter((branch) => branch.type !== null);
    return [
      ...records.filter((branch) => branch.type?.name === writer.type?.name),
      ...records.filter((branch) => branch.type?.name !== writer.type?.name && isNamed(branch.type?.name)),
      ...records.filter((branch) => !isNamed(branch.type?.name) && branch.type?.aliases?.some(isNamed)),
    ];
  }

  private project(branch: RecordBranch): RecordType {
    const full = branch.type!;
    if (this.fields === null) return full;
    let type = this.projected.get(full);
    if (type === undefined) {
      type = projectRecord(full, branch.definition, this.fields);
      this.projected.set(full, type);
    }
    return type;
  }
}

/** The record with only some of its fields, in its order; asked-for fields that it lacks stand at the end (P2). */
function projectRecord(full: RecordType, definition: AvroObject | null, names: readonly string[]): RecordType {
  const wanted = new Set(names);
  const fields: object[] = full.fields
    .filter((field) => wanted.delete(field.name))
    .map((field) => {
      const written = definition?.fields?.find((candidate) => candidate.name === field.name);
      const base = { name: field.name, type: field.type, aliases: field.aliases };
      return written?.default === undefined ? base : { ...base, default: written.default };
    });
  for (const name of wanted) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) fields.push({ name, type: 'null', default: null });
  }
  if (fields.length === full.fields.length && wanted.size === 0) return full;
  return plainRecordType(
    { type: 'record', name: full.name, aliases: full.aliases, fields },
    { registry: {}, omitRecordMethods: true },
  );
}

/** Reads the value that stands at `start` and must end with the buffer. Never throws. */
export function readRecord(
  plan: RecordPlan,
  buf: Buffer,
  start: number,
): { readonly fields: Readonly<Record<string, unknown>>; readonly recordName: string } | DecodeFailure {
  let pos = start;
  let branch = plan.branches[0];
  if (plan.isUnion) {
    const index = buf[pos]!;
    // An index below 64 is one byte, in zigzag: twice the index.
    branch = (index & 0x81) === 0 ? plan.branches[index >> 1] : undefined;
    if (pos >= buf.length) return new DecodeFailure('truncated', 'the value ends before its union branch');
    if (branch === undefined)
      return new DecodeFailure('malformed', 'the value names a union branch that does not exist');
    pos += 1;
  }
  const { type, resolver, failure, recordName, writer } = branch!;
  if (type === null) return failure!;
  let offset: number;
  let fields: Readonly<Record<string, unknown>>;
  try {
    const decoded = type.decode(buf, pos, resolver);
    offset = decoded.offset;
    fields = decoded.value as Readonly<Record<string, unknown>>;
  } catch (error) {
    return explainFailure(writer!, buf, pos, (error as Error).message);
  }
  if (offset === buf.length) return { fields, recordName };
  if (offset === -1) return explainFailure(writer!, buf, pos, null);
  return new DecodeFailure('trailing-bytes', `${buf.length - offset} bytes after the end of ${recordName}`);
}

/** Finds the field at which reading fails. Slow, and only for bad records. `message` is `null` for a truncated record. */
export function explainFailure(writer: RecordType, buf: Buffer, start: number, message: string | null): DecodeFailure {
  let pos = start;
  for (const field of writer.fields) {
    try {
      const { offset } = field.type.decode(buf, pos);
      if (offset === -1) {
        const detail = `the value ends after ${buf.length} bytes, within field ${field.name}`;
        return new DecodeFailure('truncated', detail);
      }
      pos = offset;
    } catch (error) {
      return new DecodeFailure('malformed', `field ${field.name}: ${describe((error as Error).message)}`);
    }
  }
  return message === null
    ? new DecodeFailure('truncated', `the value ends after ${buf.length} bytes`)
    : new DecodeFailure('malformed', describe(message));
}

function describe(message: string): string {
  return message === 'potential precision loss' ? 'a long beyond 2^53 cannot be read without loss' : message;
}
