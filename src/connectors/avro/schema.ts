/**
 * Avro schemas as JSON. We keep the JSON beside avsc's types, because avsc forgets some of it (an enum's default,
 * logical types that it does not know).
 */
import { readFileSync } from 'node:fs';

export type AvroSchema = string | readonly AvroSchema[] | AvroObject;

export interface AvroObject {
  readonly type: AvroSchema;
  readonly name?: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly aliases?: readonly string[];
  readonly fields?: readonly AvroField[];
  readonly symbols?: readonly string[];
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
  readonly size?: number;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly default?: unknown;
}

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
  readonly aliases?: readonly string[];
}

export class AvroSchemaError extends Error {
  readonly code = 'AVRO_SCHEMA';
}

/** A schema from its text. Throws `AvroSchemaError` when it is not JSON; what it means is checked when it is compiled. */
export function parseAvroSchema(text: string, source: string): AvroSchema {
  try {
    return JSON.parse(text) as AvroSchema;
  } catch (cause) {
    // A primitive schema may be written without quotes.
    if (/^[a-z]+$/.test(text.trim())) return text.trim();
    throw new AvroSchemaError(`${source} is not an Avro schema: ${(cause as Error).message}`, { cause });
  }
}

/** Reads an `.avsc` file. Throws `AvroSchemaError` when it cannot be read or is not JSON. */
export function readAvroSchema(path: string | URL): AvroSchema {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AvroSchemaError(`Schema ${String(path)} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return parseAvroSchema(text, String(path));
}

export function isAvroObject(schema: AvroSchema): schema is AvroObject {
  return typeof schema === 'object' && !Array.isArray(schema);
}

/** `com.acme.Payment` to `Payment`. */
export function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Namespace and name joined, as Avro does it. */
export function qualifiedName(name: string, namespace: string | undefined): string {
  return name.includes('.') || !namespace ? name : `${namespace}.${name}`;
}

const NAMED = new Set(['record', 'error', 'enum', 'fixed']);

/** Definitions of named types by full name, wherever in the schema they stand. */
export function namedTypes(
  schema: AvroSchema,
  into = new Map<string, AvroObject>(),
  namespace?: string,
): Map<string, AvroObject> {
  if (typeof schema === 'string') return into;
  if (!isAvroObject(schema)) {
    for (const branch of schema) namedTypes(branch, into, namespace);
    return into;
  }
  let inner = namespace;
  if (typeof schema.type === 'string' && NAMED.has(schema.type) && schema.name !== undefined) {
    const full = qualifiedName(schema.name, schema.namespace ?? namespace);
    inner = full.includes('.') ? full.slice(0, full.lastIndexOf('.')) : undefined;
    into.set(full, schema);
  }
  if (typeof schema.type === 'object') namedTypes(schema.type, into, inner);
  for (const field of schema.fields ?? []) namedTypes(field.type, into, inner);
  if (schema.items !== undefined) namedTypes(schema.items, into, inner);
  if (schema.values !== undefined) namedTypes(schema.values, into, inner);
  return into;
}

/**
 * Names by which rules know records: without namespace, or with it where two records of one union share the rest.
 * @param fullNames of all branches
 */
export function recordNames(fullNames: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  for (const name of fullNames) seen.set(simpleName(name), (seen.get(simpleName(name)) ?? 0) + 1);
  return fullNames.map((name) => (seen.get(simpleName(name)) === 1 ? simpleName(name) : name));
}
