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
