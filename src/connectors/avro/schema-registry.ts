/** A client of Confluent's schema registry API (also spoken by Redpanda, Karapace and Apicurio). */
import { type AvroSchema, parseAvroSchema } from './schema.js';

export interface SchemaRegistryOptions {
  readonly url: string;
  /** Basic authentication; `token` is for bearer authentication. */
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  /** Longest wait for one answer, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

export type RegistryErrorCode =
  /** No connection, no answer in time, or an answer of 429 or 5xx: try again. */
  | 'REGISTRY_UNAVAILABLE'
  /** 401 or 403. */
  | 'REGISTRY_UNAUTHORIZED'
  /** The registry says that there is no such schema, subject or version. */
  | 'REGISTRY_NOT_FOUND'
  /** 409: the schema is not compatible with the versions before it. */
  | 'REGISTRY_INCOMPATIBLE'
  /** 422: the registry does not accept the schema. */
  | 'REGISTRY_INVALID_SCHEMA'
  /** The schema is there, but it is not Avro. */
  | 'REGISTRY_NOT_AVRO'
  /** Anything else: most likely the URL is not a registry's. */
  | 'REGISTRY_UNEXPECTED';

/** A failed request. The message holds the registry's own. */
export class RegistryError extends Error {
  constructor(
    readonly code: RegistryErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface RegisteredSchema {
  readonly schema: AvroSchema;
  /** Definitions that the schema names, each after those that it names itself. */
  readonly references: readonly AvroSchema[];
}

interface SchemaAnswer {
  readonly schema: string;
  /** Absent for Avro. */
  readonly schemaType?: string;
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[];
}

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';

export class SchemaRegistry {
  private readonly base: string;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly timeoutMs: number;

  constructor(options: SchemaRegistryOptions) {
    const url = new URL(options.url);
    const username = options.username ?? decodeURIComponent(url.username);
    const password = options.password ?? decodeURIComponent(url.password);
    url.username = '';
    url.password = '';
    this.base = url.href.replace(/\/+$/, '');
    this.timeoutMs = options.timeoutMs ?? 5_000;
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const authorization = options.token !== undefined ? `Bearer ${options.token}` : username === '' ? null : basic;
    this.headers = { accept: MEDIA_TYPE, ...(authorization === null ? {} : { authorization }) };
  }

  /** The schema with this id, and all that it refers to. Throws `RegistryError`. */
  async schemaById(id: number, signal?: AbortSignal): Promise<RegisteredSchema> {
    const answer = await this.request<SchemaAnswer>('GET', `/schemas/ids/${id}`, undefined, signal);
    return this.resolve(answer, `schema ${id}`, signal);
  }

  /** The newest schema of a subject. Throws `RegistryError`. */
  async latest(subject: string, signal?: AbortSignal): Promise<RegisteredSchema & { readonly id: number }> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
    const answer = await this.request<SchemaAnswer & { id: number }>('GET', path, undefined, signal);
    return { ...(await this.resolve(answer, `subject ${subject}`, signal)), id: answer.id };
  }

  /**
   * Registers a schema and answers its id; the same schema again gets the id it has. Throws `RegistryError`, with the code
   * `REGISTRY_INCOMPATIBLE` when the subject's compatibility forbids it.
   */
  async register(subject: string, schema: AvroSchema, signal?: AbortSignal): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const body = JSON.stringify({ schema: JSON.stringify(schema) });
    const { id } = await this.request<{ id: number }>('POST', path, body, signal);
    return id;
  }

  private async resolve(answer: SchemaAnswer, what: string, signal?: AbortSignal): Promise<RegisteredSchema> {
    if (answer.schemaType !== undefined && answer.schemaType !== 'AVRO') {
      throw new RegistryError('REGISTRY_NOT_AVRO', `${what} is ${answer.schemaType}, not AVRO`);
    }
    const references: AvroSchema[] = [];
    await this.collect(answer, references, new Set(), signal);
    let schema: AvroSchema;
    try {
      schema = parseAvroSchema(answer.schema, what);
    } catch (cause) {
      throw new RegistryError('REGISTRY_NOT_AVRO', (cause as Error).message, { cause });
    }
    return { schema, references };
  }

  /** Depth first, so that a definition comes before those that name it. */
  private async collect(
    answer: SchemaAnswer,
    into: AvroSchema[],
    seen: Set<string>,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const { subject, version } of answer.references ?? []) {
      const key = `${subject} ${version}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      const reference = await this.request<SchemaAnswer>('GET', path, undefined, signal);
      await this.collect(reference, into, seen, signal);
      into.push(parseAvroSchema(reference.schema, `subject ${subject} version ${version}`));
    }
  }

  private async request<T>(method: string, path: string, body?: string, signal?: AbortSignal): Promise<T> {
    const timeout = AbortSignal.timeout(this.timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.base + path, {
        method,
        body,
        headers: body === undefined ? this.headers : { ...this.headers, 'content-type': MEDIA_TYPE },
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      text = await response.text();
    } catch (cause) {
      signal?.throwIfAborted();
      const why = timeout.aborted ? `no answer within ${this.timeoutMs} ms` : reasonOf(cause as Error);
      throw new RegistryError('REGISTRY_UNAVAILABLE', `Schema registry ${this.base}: ${why}`, { cause });
    }
    const answer = parseJson(text);
    if (response.ok && answer !== null) return answer as T;
    const message = typeof answer?.message === 'string' ? answer.message : text.slice(0, 200);
    const code = codeOf(response.status, answer?.error_code);
    throw new RegistryError(
      code,
      `Schema registry ${this.base}: ${method} ${path} gave ${response.status}: ${message}`,
    );
  }
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** `fetch failed` says nothing: its cause does. */
function reasonOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : error.message;
}

function codeOf(status: number, errorCode: unknown): RegistryErrorCode {
  // A registry's own "not found" has a code from 40401; a 404 without one comes from something else at that URL.
  if (status === 404 && typeof errorCode === 'number' && errorCode > 40_400) return 'REGISTRY_NOT_FOUND';
  if (status === 401 || status === 403) return 'REGISTRY_UNAUTHORIZED';
  if (status === 409) return 'REGISTRY_INCOMPATIBLE';
  if (status === 422) return 'REGISTRY_INVALID_SCHEMA';
  if (status === 408 || status === 429 || status >= 500) return 'REGISTRY_UNAVAILABLE';
  return 'REGISTRY_UNEXPECTED';
}
