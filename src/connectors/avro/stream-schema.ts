import type { EventSchema } from '../../rules/schema.js';
import type { StreamSettings } from '../../runtime/settings/index.js';
import { eventSchemaOf } from './event-schema.js';
import { type AvroSchema, readAvroSchema } from './schema.js';

export interface StreamSchema {
  readonly avro: AvroSchema;
  /** What rules are checked against. */
  readonly events: EventSchema;
}

/** What a stream's schema file says; `null` when it names none. Throws `AvroSchemaError` when the file does not hold. */
export function streamSchema(stream: StreamSettings): StreamSchema | null {
  if (stream.schema === undefined) return null;
  const avro = readAvroSchema(stream.schema);
  return { avro, events: eventSchemaFor(stream, avro) };
}

/** What rules may say of a stream whose records have this schema. */
export function eventSchemaFor(stream: StreamSettings, avro: AvroSchema): EventSchema {
  return eventSchemaOf(avro, { stream: stream.name, type: stream.type, subtypes: stream.subtypes });
}
