import { AvroDecoders } from '../../../connectors/avro/decoder.js';
import type { AvroSchema } from '../../../connectors/avro/schema.js';
import { SchemaRegistry } from '../../../connectors/avro/schema-registry.js';
import { streamSchema } from '../../../connectors/avro/stream-schema.js';
import { JsonDecoder } from '../../../connectors/json/json-decoder.js';
import type { EventSchema, RuleStream } from '../../../rules/schema.js';
import type { Clock } from '../../../runtime/ports/clock.js';
import type { RecordDecoder } from '../../../runtime/ports/decoder.js';
import type { RegisteredStream, Settings, StreamSettings } from '../../../runtime/settings/index.js';
import { ownFields, type StreamDefinition, streamDefinition } from '../../../runtime/stream.js';
import { topicStreams } from './topic-streams.js';

/** What the settings and the schema file say of one stream. */
export interface StreamFacts {
  readonly settings: StreamSettings;
  readonly definition: StreamDefinition;
  /** What rules are checked against; `null`: nothing is known of its fields. */
  readonly schema: EventSchema | null;
  /** The Avro schema that records are read as, and written with by `POST /v1/transactions`. */
  readonly avro: AvroSchema | null;
}

/** A stream whose records can be read. */
export interface StreamParts extends StreamFacts {
  /** Set where it was registered or changed while the service ran. */
  readonly registered?: RegisteredStream;
  /** A decoder for the fields that these rules use. */
  decoder(ruleFields: Iterable<string>): RecordDecoder;
}

export interface StreamContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly onTrouble: (error: Error) => void;
  readonly onRecovered: () => void;
}

export function makeRegistry(settings: Settings): SchemaRegistry | null {
  const { url, username, password, timeout } = settings.registry;
  return url === undefined ? null : new SchemaRegistry({ url, username, password, timeoutMs: timeout });
}

/** Throws `AvroSchemaError` when the schema file cannot be read or does not hold. */
export function streamFacts(stream: StreamSettings): StreamFacts {
  const schema = streamSchema(stream);
  return {
    settings: stream,
    definition: streamDefinition(stream),
    schema: schema?.events ?? null,
    avro: schema?.avro ?? null,
  };
}

/** Throws as `streamFacts` does. */
export function makeStream(stream: StreamSettings, context: StreamContext): StreamParts {
  const facts = streamFacts(stream);
  const make = decoderFactory(stream, facts.avro, context);
  const registered = context.settings.registered?.[stream.name];
  return {
    ...facts,
    ...(registered === undefined ? {} : { registered }),
    decoder: (ruleFields) => make([...ruleFields, ...ownFields(facts.definition)]),
  };
}

/** All streams that the service reads. Throws as `streamFacts` does, and `StreamsError`. */
export function allFacts(settings: Settings): readonly [StreamFacts, ...StreamFacts[]] {
  const [first, ...others] = topicStreams(settings);
  return [streamFacts(first), ...others.map(streamFacts)];
}

/** All streams that the service reads, in the order of the settings. Throws as `allFacts` does. */
export function makeStreams(context: StreamContext): AllStreams {
  const [first, ...others] = topicStreams(context.settings);
  return [makeStream(first, context), ...others.map((stream) => makeStream(stream, context))];
}

export type AllStreams = readonly [StreamParts, ...StreamParts[]];

/** What rules are checked against. */
export const ruleStreamsOf = (streams: readonly StreamFacts[]): readonly RuleStream[] =>
  streams.map(({ settings, schema }) => ({ name: settings.name, schema }));

function decoderFactory(
  stream: StreamSettings,
  avro: AvroSchema | null,
  { settings, clock, onTrouble, onRecovered }: StreamContext,
): (fields: readonly string[]) => RecordDecoder {
  if (stream.format === 'ndjson') return () => new JsonDecoder();
  const registry = makeRegistry(settings);
  // The settings refuse plain Avro without a schema, and Confluent's format without a registry.
  const decoders =
    stream.format === 'avro'
      ? AvroDecoders.plain({ writer: avro! })
      : AvroDecoders.confluent({
          registry: registry!,
          clock,
          onTrouble,
          onRecovered,
          ...(avro ? { reader: avro } : {}),
        });
  return (fields) => decoders.decoder(new Set(fields));
}
