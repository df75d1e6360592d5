import type { AvroField, AvroObject, AvroSchema } from '../../avro/schema.js';

/** Name of records that were inferred: JSON has none. */
export const INFERRED_RECORD_NAME = 'Record';

type Kind = 'null' | 'boolean' | 'long' | 'double' | 'string' | 'array' | 'map';

const ORDER: readonly Kind[] = ['null', 'boolean', 'long', 'double', 'string', 'array', 'map'];

function kindOf(value: unknown): Kind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'number':
      return Number.isSafeInteger(value) ? 'long' : 'double';
    case 'string':
      return 'string';
    default:
      return 'map';
  }
}

/** Lists and objects are only known to be such: rules cannot look into them. */
function typeOf(kind: Kind): AvroSchema {
  if (kind === 'array') return { type: 'array', items: 'string' };
  return kind === 'map' ? { type: 'map', values: 'string' } : kind;
}

/**
 * What rows have in common, as an Avro record schema: enough for `eventSchemaOf`, not meant for writing. A field that a row
 * lacks is nullable; one with whole numbers and others is a double; one with different kinds of values is a union of them.
 */
export function inferSchema(rows: Iterable<Readonly<Record<string, unknown>>>): AvroObject {
  const seen = new Map<string, { readonly kinds: Set<Kind>; rows: number }>();
  let rowCount = 0;
  for (const row of rows) {
    rowCount += 1;
    for (const [name, value] of Object.entries(row)) {
      let field = seen.get(name);
      if (field === undefined) {
        field = { kinds: new Set(), rows: 0 };
        seen.set(name, field);
      }
      field.kinds.add(kindOf(value));
      field.rows += 1;
    }
  }
  const fields: AvroField[] = [];
  for (const [name, { kinds, rows: present }] of seen) {
    if (present < rowCount) kinds.add('null');
    if (kinds.has('double')) kinds.delete('long');
    const types = ORDER.filter((kind) => kinds.has(kind)).map(typeOf);
    fields.push({ name, type: types.length === 1 ? types[0]! : types });
  }
  return { type: 'record', name: INFERRED_RECORD_NAME, fields };
}
