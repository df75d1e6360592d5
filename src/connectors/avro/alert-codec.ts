import avsc from 'avsc';
import { canonicalJson } from '../../engine/index.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { CONFLUENT_HEADER_BYTES, confluentSchemaId } from './decoder.js';
import { plainRecordType } from './read-types.js';
import { type AvroSchema, readAvroSchema } from './schema.js';

/** `schemas/alert.avsc`: also what is registered for the alerts topic. */
export const alertSchema: AvroSchema = readAvroSchema(new URL('../../../schemas/alert.avsc', import.meta.url));

export class AlertCodecError extends Error {
  readonly code = 'ALERT_UNREADABLE';
}

/** As `schemas/alert.avsc` has it: the fields of an event are JSON text. */
type WrittenAlert = Omit<Alert, 'steps' | 'features'> & {
  readonly features?: Alert['features'] | null;
  readonly steps: readonly {
    readonly step: string;
    readonly events: readonly (Omit<Alert['steps'][number]['events'][number], 'fields'> & {
      readonly fields: string;
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

/** Of alerts that were written before they had features, which are their last field. */
const featurelessType = typeOf(withoutField(alertSchema, 'features'));

function withoutField(schema: AvroSchema, name: string): AvroSchema {
  const record = schema as { readonly fields: readonly { readonly name: string }[] };
  return { ...record, fields: record.fields.filter((field) => field.name !== name) } as never;
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
        events: events.map((event) => ({ ...event, fields: canonicalJson(event.fields) })),
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
          events: events.map((event) => ({ ...event, fields: JSON.parse(event.fields) as Record<string, unknown> })),
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
  try {
    return alertType.fromBuffer(body) as WrittenAlert;
  } catch (error) {
    try {
      return featurelessType.fromBuffer(body) as WrittenAlert;
    } catch {
      throw error;
    }
  }
}

const sorted = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The five bytes before a value in Confluent's wire format. */
export function confluentHeader(schemaId: number): Buffer {
  const header = Buffer.alloc(CONFLUENT_HEADER_BYTES);
  header.writeUInt32BE(schemaId, 1);
  return header;
}
