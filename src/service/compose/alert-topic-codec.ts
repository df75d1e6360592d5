import { AlertCodec, alertSchema } from '../../connectors/avro/alert-codec.js';
import { confluentSchemaId } from '../../connectors/avro/decoder.js';
import { RegistryError, type SchemaRegistry } from '../../connectors/avro/schema-registry.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { AlertEncoder } from '../../runtime/ports/outputs.js';
import type { AlertDecoder } from '../../runtime/sinks/alert-sink.js';

/**
 * Alerts on their topic: plain Avro, or in Confluent's wire format when there is a registry, where their schema is registered
 * first. Both are read, whichever is written: a registry may be added to a topic that has alerts already.
 */
export class AlertTopicCodec implements AlertEncoder, AlertDecoder {
  private readonly framed = new Map<number, AlertCodec>();
  private readonly plain = new AlertCodec();
  private writer = this.plain;

  /** Registers the schema. Throws what passes (a registry that does not answer): to be called again then. */
  async register(registry: SchemaRegistry, topic: string): Promise<void> {
    this.writer = this.codecFor(await registry.register(`${topic}-value`, alertSchema));
  }

  encode(alert: Alert): Uint8Array {
    return this.writer.encode(alert);
  }

  decode(value: Uint8Array): Alert {
    const id = confluentSchemaId(value);
    return (id === null ? this.plain : this.codecFor(id)).decode(value);
  }

  private codecFor(id: number): AlertCodec {
    let codec = this.framed.get(id);
    if (codec === undefined) {
      codec = new AlertCodec(id);
      this.framed.set(id, codec);
    }
    return codec;
  }
}

/** Whether asking the registry again can help. */
export const isPassing = (error: unknown): boolean =>
  error instanceof RegistryError && error.code === 'REGISTRY_UNAVAILABLE';
