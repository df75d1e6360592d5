import { ALERT_VERSION, AlertCodec, alertSchema } from '../../connectors/avro/alert-codec.js';
import { confluentSchemaId } from '../../connectors/avro/decoder.js';
import type { SchemaRegistry } from '../../connectors/avro/schema-registry.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { AlertEncoder } from '../../runtime/ports/outputs.js';
import type { AlertDecoder } from '../../runtime/sinks/alert-sink.js';

/**
 * Alerts on their topic: plain Avro, or in Confluent's wire format when there is a registry, where their schema is registered
 * first. Both are read, whichever is written: a registry may be added to a topic that has alerts already.
 */
export class AlertTopicCodec implements AlertEncoder, AlertDecoder {
  readonly version = ALERT_VERSION;
  private readonly framed = new Map<number, AlertCodec>();
  private readonly plain = new AlertCodec();
  private writer = this.plain;

  constructor(
    private readonly registry: SchemaRegistry | null,
    private readonly topic: string,
  ) {}

  /** Registers the schema, where there is a registry. Throws `RegistryError`. */
  async prepare(): Promise<void> {
    if (this.registry === null || this.writer !== this.plain) return;
    this.writer = this.codecFor(await this.registry.register(`${this.topic}-value`, alertSchema));
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
