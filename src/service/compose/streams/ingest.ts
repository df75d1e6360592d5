import type { InputOptions } from '../../../connectors/avro/json-input.js';
import { type AvroSchema, isAvroObject } from '../../../connectors/avro/schema.js';
import type { SchemaRegistry } from '../../../connectors/avro/schema-registry.js';
import { type EncodeResult, TransactionEncoder } from '../../../connectors/avro/transaction-encoder.js';
import type { StreamSettings } from '../../../runtime/settings/index.js';
import type { IngestProblem, TransactionIngest } from '../../transactions/transaction-ingest.js';

type Encode = (input: unknown) => EncodeResult;
type Named = Pick<StreamSettings, 'key' | 'time' | 'id'>;

/**
 * What `POST /v1/transactions` needs of a stream, or `null` where nothing can be written to it: it has no single topic, or no
 * Avro schema to write by. Throws `AvroSchemaError` for a schema with types that cannot be written.
 */
export function streamIngest(
  stream: StreamSettings,
  avro: AvroSchema | null,
  registry: Pick<SchemaRegistry, 'register'> | null,
  options: InputOptions = {},
): TransactionIngest | null {
  const { topic, format } = stream;
  if (topic === undefined) return null;
  if (format === 'ndjson') return new StreamIngest(topic, stream, false, async () => encodeJson);
  if (avro === null) return null;
  const isUnion = typeof avro !== 'string' && !isAvroObject(avro);
  // Made now, so that a schema that does not hold is found at start.
  const plain = new TransactionEncoder(avro, options);
  if (format === 'avro') return new StreamIngest(topic, stream, isUnion, async () => (input) => plain.encode(input));
  if (registry === null) return null;
  return new StreamIngest(topic, stream, isUnion, async () => {
    const registryId = await registry.register(`${topic}-value`, avro);
    const encoder = new TransactionEncoder(avro, { ...options, registryId });
    return (input) => encoder.encode(input);
  });
}

class StreamIngest implements TransactionIngest {
  private encoder: Encode | null = null;
  private readonly text = new TextEncoder();

  constructor(
    readonly topic: string,
    private readonly stream: Named,
    private readonly isUnion: boolean,
    private readonly makeEncoder: () => Promise<Encode>,
  ) {}

  async prepare(): Promise<void> {
    this.encoder ??= await this.makeEncoder();
  }

  encode(input: unknown): ReturnType<TransactionIngest['encode']> {
    if (this.encoder === null) throw new Error('prepare comes before encode');
    const result = this.encoder(input);
    const record = this.recordOf(input);
    const problems = [...(result.ok ? [] : result.errors), ...this.missing(record, result.ok ? [] : result.errors)];
    if (!result.ok || problems.length > 0) return { ok: false, problems };
    const [key, id] = [fieldText(record, this.stream.key), fieldText(record, this.stream.id)];
    return { ok: true, transaction: { id, key: key === null ? null : this.text.encode(key), value: result.bytes } };
  }

  /** The fields that detection cannot do without, even where the schema lets them be null: such a record would be a dead letter. */
  private missing(record: unknown, told: readonly IngestProblem[]): readonly IngestProblem[] {
    if (!isObject(record)) return [];
    const { key, time, id } = this.stream;
    const names = new Set([key, time, id].filter((name) => name !== undefined));
    return [...names]
      .filter((name) => fieldText(record, name) === null && !told.some(({ path }) => path === name))
      .map((path) => ({ path, expected: 'a value: the stream needs this field', got: 'nothing' }));
  }

  /** In a union of records people may say the branch: `{"Withdrawal": {…}}`. */
  private recordOf(input: unknown): unknown {
    if (!this.isUnion || !isObject(input)) return input;
    const values = Object.values(input);
    return values.length === 1 && isObject(values[0]) ? values[0] : input;
  }
}

function fieldText(record: unknown, name: string | undefined): string | null {
  const value = name === undefined || !isObject(record) ? undefined : record[name];
  return value === undefined || value === null ? null : String(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function encodeJson(input: unknown): EncodeResult {
  if (isObject(input)) return { ok: true, bytes: Buffer.from(JSON.stringify(input)) };
  const got = Array.isArray(input) ? 'a list' : JSON.stringify(input);
  return { ok: false, errors: [{ path: '', expected: 'an object', got }] };
}
