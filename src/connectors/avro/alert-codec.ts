import avsc from 'avsc';
import { canonicalJson } from '../../engine/index.js';
import type { Alert, AlertEvent } from '../../runtime/ports/alert.js';
import { CONFLUENT_HEADER_BYTES, confluentSchemaId } from './decoder.js';
import { plainRecordType } from './read-types.js';
import { type AvroSchema, readAvroSchema } from './schema.js';

/** `schemas/alert.avsc`: also what is registered for the alerts topic. */
export const alertSchema: AvroSchema = readAvroSchema(new URL('../../../schemas/alert.avsc', import.meta.url));

export class AlertCodecError extends Error {
  readonly code = 'ALERT_UNREADABLE';
}

type Values = NonNullable<AlertEvent['values']>;

/** As `schemas/alert.avsc` has it: the fields of an event are JSON text. */
type WrittenAlert = Omit<Alert, 'steps' | 'features'> & {
  readonly features?: Alert['features'] | null;
  readonly steps: readonly {
    readonly step: string;
    readonly events: readonly (Omit<AlertEvent, 'fields' | 'values'> & {
      readonly fields: string;
      readonly values?: Values | null;
    })[];
  }[];
};

/** Records come as plain objects, so that an alert that was decoded equals the one that was encoded. */
const typeOf = (schema: AvroSchema): avsc.Type =>
  avsc.Type.forSchema(schema as never, {
    typeHook: ((part: AvroSchema, options: object) => {
      const isRecord =
        typeof part === 'object' && !Array.isArray(part) && (part as { type: unknown }).type === 'record';
      return isRecord ? plainRecordType(part, options) : undefined;
    }) as never,
    omitRecordMethods: true,
  });

const alertType = typeOf(alertSchema);

/** Of alerts that were written before their events had values, and before they had features either: their last fields. */
const typesBefore = [
  typeOf(without(alertSchema, { AlertEvent: 'values' })),
  typeOf(without(alertSchema, { AlertEvent: 'values', Alert: 'features' })),
];

/** Of the form that is written: 1 was the first, and each field more in the schema makes one more of `typesBefore`. */
export const ALERT_VERSION = typesBefore.length + 1;

/** The schema with records, by name, that lack a field. */
function without(schema: AvroSchema, lacking: Readonly<Record<string, string>>): AvroSchema {
  const parts = JSON.parse(JSON.stringify(schema), (_, part) => {
    const field = part?.type === 'record' ? lacking[part.name] : undefined;
    if (field === undefined) return part;
    return { ...part, fields: part.fields.filter(({ name }: { readonly name: string }) => name !== field) };
  });
  return parts as AvroSchema;
}

/**
 * Alerts as Avro, by `schemas/alert.avsc`. The same alert gives the same bytes, in whatever order its fields were made.
 *
 * With `registryId` values are framed in Confluent's wire format, and reading wants that frame.
 */
export class AlertCodec {
  private readonly header: Buffer | null;

  constructor(private readonly registryId: number | null = null) {
    this.header = registryId === null ? null : confluentHeader(registryId);
  }

  encode(alert: Alert): Buffer {
    const written: WrittenAlert = {
      ...alert,
      features: alert.features === undefined ? null : sorted(alert.features),
      steps: alert.steps.map(({ step, events }) => ({
        step,
        events: events.map((event) => ({
          ...event,
          fields: canonicalJson(event.fields),
          values: event.values === undefined ? null : sorted(event.values),
        })),
      })),
    };
    const body = alertType.toBuffer(written);
    return this.header === null ? body : Buffer.concat([this.header, body]);
  }

  /** Throws `AlertCodecError` for bytes that are no alert of this schema. */
  decode(bytes: Uint8Array): Alert {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(this.bodyStart(bytes));
    try {
      const { features, ...written } = readAlert(body);
      return {
        ...written,
        ...(features === null || features === undefined ? {} : { features }),
        steps: written.steps.map(({ step, events }) => ({
          step,
          events: events.map(({ values, ...event }) => ({
            ...event,
            fields: JSON.parse(event.fields) as Record<string, unknown>,
            ...(values === null || values === undefined ? {} : { values }),
          })),
        })),
      };
    } catch (cause) {
      throw new AlertCodecError(`The record is not an alert: ${(cause as Error).message}`, { cause });
    }
  }

  private bodyStart(bytes: Uint8Array): number {
    if (this.registryId === null) return 0;
    const id = confluentSchemaId(bytes);
    if (id === this.registryId) return CONFLUENT_HEADER_BYTES;
    const found = id === null ? 'no schema id' : `schema id ${id}`;
    throw new AlertCodecError(`The record has ${found}; alerts have ${this.registryId}`);
  }
}

/** Bytes of the one form are never those of the other: they would end too early, or too late. */
function readAlert(body: Buffer): WrittenAlert {
  let first: unknown;
  for (const type of [alertType, ...typesBefore]) {
    try {
      return type.fromBuffer(body) as WrittenAlert;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

const sorted = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The five bytes before a value in Confluent's wire format. */
export function confluentHeader(schemaId: number): Buffer {
  const header = Buffer.alloc(CONFLUENT_HEADER_BYTES);
  header.writeUInt32BE(schemaId, 1);
  return header;
}
