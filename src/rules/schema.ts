/**
 * What rules know of a stream's events: enough to check a condition. Made from the stream's Avro schema by the Avro
 * connector, or inferred from the first record where a stream has none.
 */
export type FieldType = 'number' | 'string' | 'boolean' | 'other';

export interface EventField {
  readonly name: string;
  readonly type: FieldType;
  /** Symbols of an enum, so that a comparison with an impossible one is found. */
  readonly symbols?: readonly string[];
  /** May be null or absent. */
  readonly optional: boolean;
  readonly doc?: string;
  /** What is known of its numbers, whatever the events: of what a window tells. Absent: nothing. */
  readonly known?: KnownNumber;
}

export interface KnownNumber {
  readonly integer?: boolean;
  /** Its least value. */
  readonly low?: number;
  /** By the names of other fields, which are never below this one: by how much they are above it at most. */
  readonly upTo?: Readonly<Record<string, number>>;
}

export interface EventSchema {
  /** Name of the stream, for messages. */
  readonly stream: string;
  readonly fields: ReadonlyMap<string, EventField>;
  /** Kinds that `subtype` may name, or `null` when they are open (a plain string discriminator). */
  readonly kinds: ReadonlySet<string> | null;
  /** Derived kind to the kind it derives from. */
  readonly kindParents: ReadonlyMap<string, string>;
}

/** A stream that rules may read, and what is known of its events: `null`: nothing. */
export interface RuleStream {
  readonly name: string;
  readonly schema: EventSchema | null;
}

/** The streams that there are, in the order of the settings. One schema stands for the only stream; `null`: nothing is known. */
export type KnownStreams = readonly RuleStream[] | EventSchema | null;

export function ruleStreams(known: KnownStreams): readonly RuleStream[] {
  if (known === null) return [];
  return 'stream' in known ? [{ name: known.stream, schema: known }] : known;
}

/** What is known of events of any of these streams; `null`: nothing, as soon as nothing is known of one. */
export function schemaOfAny(streams: readonly RuleStream[]): EventSchema | null {
  const schemas = streams.flatMap(({ schema }) => schema ?? []);
  return schemas.length < streams.length ? null : mergeSchemas(schemas);
}

/**
 * What is known of events that come from any of several streams. A field that one stream lacks is optional; one that has
 * different types is of type `other`. `null` when there are no schemas.
 */
export function mergeSchemas(schemas: readonly EventSchema[]): EventSchema | null {
  const [only] = schemas;
  if (schemas.length <= 1) return only ?? null;
  const fields = new Map<string, EventField>();
  for (const name of new Set(schemas.flatMap((schema) => [...schema.fields.keys()]))) {
    fields.set(name, mergeField(name, schemas));
  }
  const open = schemas.some((schema) => schema.kinds === null);
  return {
    stream: schemas.map((schema) => schema.stream).join(', '),
    fields,
    kinds: open ? null : new Set(schemas.flatMap((schema) => [...(schema.kinds ?? [])])),
    kindParents: new Map(schemas.flatMap((schema) => [...schema.kindParents])),
  };
}

function mergeField(name: string, schemas: readonly EventSchema[]): EventField {
  const found = schemas.flatMap((schema) => schema.fields.get(name) ?? []);
  const symbols = found.every((field) => field.symbols !== undefined)
    ? [...new Set(found.flatMap((field) => field.symbols ?? []))]
    : undefined;
  const first = found[0]!;
  return {
    name,
    type: found.every((field) => field.type === first.type) ? first.type : 'other',
    ...(symbols === undefined ? {} : { symbols }),
    optional: found.length < schemas.length || found.some((field) => field.optional),
    ...(first.doc === undefined ? {} : { doc: first.doc }),
  };
}
