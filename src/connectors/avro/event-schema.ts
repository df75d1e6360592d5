import type { EventField, EventSchema, FieldType } from '../../rules/schema.js';
import {
  type AvroField,
  type AvroObject,
  type AvroSchema,
  isAvroObject,
  namedTypes,
  qualifiedName,
  recordNames,
  simpleName,
} from './schema.js';

export interface EventSchemaOptions {
  /** Name of the stream, for messages. */
  readonly stream: string;
  /** Field that `subtype` tests. Absent: the name of the record. */
  readonly type?: string;
  /** Derived kind to the kind it derives from. */
  readonly subtypes?: Readonly<Record<string, string>>;
}

/** What a type means to a rule. */
interface Meaning {
  readonly type: FieldType;
  readonly optional: boolean;
  readonly symbols?: readonly string[];
}

const PRIMITIVES: Readonly<Record<string, FieldType>> = {
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  boolean: 'boolean',
};

/** Looks definitions up by name as a reader of the schema would: in the namespace first, then anywhere. */
class Definitions {
  private readonly byName: ReadonlyMap<string, AvroObject>;

  constructor(schema: AvroSchema, references: readonly AvroSchema[]) {
    const byName = namedTypes(schema);
    for (const reference of references) namedTypes(reference, byName);
    this.byName = byName;
  }

  find(name: string, namespace?: string): AvroObject | undefined {
    const found = this.byName.get(qualifiedName(name, namespace)) ?? this.byName.get(name);
    if (found !== undefined) return found;
    for (const [full, definition] of this.byName) if (simpleName(full) === simpleName(name)) return definition;
    return undefined;
  }

  meaning(schema: AvroSchema): Meaning {
    if (typeof schema === 'string') {
      const primitive = PRIMITIVES[schema];
      if (primitive !== undefined) return { type: primitive, optional: false };
      const definition = this.find(schema);
      return definition === undefined ? { type: 'other', optional: schema === 'null' } : this.meaning(definition);
    }
    if (!isAvroObject(schema)) return this.unionMeaning(schema);
    if (schema.logicalType === 'decimal') return { type: 'number', optional: false };
    if (schema.type === 'enum') return { type: 'string', optional: false, symbols: schema.symbols ?? [] };
    if (typeof schema.type !== 'string') return this.meaning(schema.type);
    return { type: PRIMITIVES[schema.type] ?? 'other', optional: schema.type === 'null' };
  }

  private unionMeaning(branches: readonly AvroSchema[]): Meaning {
    const values = branches.filter((branch) => branch !== 'null').map((branch) => this.meaning(branch));
    const optional = values.length < branches.length;
    const merged = values.reduce<Meaning | null>((a, b) => (a === null ? b : merge(a, b)), null);
    return { ...(merged ?? { type: 'other' }), optional: optional || (merged?.optional ?? true) };
  }
}

/** What holds for both. Symbols are only kept where both have them. */
function merge(a: Meaning, b: Meaning): Meaning {
  const both = a.symbols !== undefined && b.symbols !== undefined;
  return {
    type: a.type === b.type ? a.type : 'other',
    optional: a.optional || b.optional,
    ...(both ? { symbols: [...new Set([...a.symbols!, ...b.symbols!])] } : {}),
  };
}

/**
 * What rules may say of a stream: the fields of its records, and their kinds. The fields of a union's records are put
 * together; one that some of them lack is optional.
 *
 * Kinds are the symbols of the `type` field where it is an enum, open where it is plain text, and without a `type` field
 * the names of the records. `subtypes` adds to closed kinds those that it names.
 */
export function eventSchemaOf(
  schema: AvroSchema,
  options: EventSchemaOptions,
  references: readonly AvroSchema[] = [],
): EventSchema {
  const definitions = new Definitions(schema, references);
  const records = recordsOf(schema, definitions);
  const fields = new Map<string, EventField>();
  for (const { definition } of records) {
    for (const field of definition.fields ?? []) addField(fields, field, definitions);
  }
  for (const [name, field] of fields) {
    const everywhere = records.every(({ definition }) => definition.fields?.some((f) => f.name === name));
    if (!everywhere) fields.set(name, { ...field, optional: true });
  }
  const names = recordNames(records.map(({ fullName }) => fullName));
  const symbols = options.type === undefined ? names : fields.get(options.type)?.symbols;
  const kindParents = new Map(Object.entries(options.subtypes ?? {}));
  return {
    stream: options.stream,
    fields,
    kinds: symbols === undefined ? null : new Set([...symbols, ...kindParents.keys(), ...kindParents.values()]),
    kindParents,
  };
}

function addField(into: Map<string, EventField>, field: AvroField, definitions: Definitions): void {
  const meaning = definitions.meaning(field.type);
  const before = into.get(field.name);
  const doc = before?.doc ?? field.doc;
  into.set(field.name, {
    name: field.name,
    ...(before === undefined ? meaning : merge(before, meaning)),
    ...(doc === undefined ? {} : { doc }),
  });
}

interface NamedRecord {
  readonly fullName: string;
  readonly definition: AvroObject;
}

function recordsOf(schema: AvroSchema, definitions: Definitions): readonly NamedRecord[] {
  const branches = Array.isArray(schema) ? (schema as readonly AvroSchema[]) : [schema];
  const records: NamedRecord[] = [];
  for (const branch of branches) {
    const definition = typeof branch === 'string' ? definitions.find(branch) : (branch as AvroObject);
    if (definition?.type !== 'record' && definition?.type !== 'error') continue;
    const written = typeof branch === 'string' && branch.includes('.') ? branch : (definition.name ?? '');
    records.push({ fullName: qualifiedName(written, definition.namespace), definition });
  }
  return records;
}
