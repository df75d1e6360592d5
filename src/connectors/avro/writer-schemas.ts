/**
 * The schemas that records were written with, by the registry's id. Shared by all decoders of a lane, so that new rules
 * (a new projection) do not ask the registry again.
 *
 * W1. An id is asked for once at a time, however many wait for it.
 * W2. A schema is kept for ever: a registry never changes one.
 * W3. That an id is unknown, or cannot be used, is kept for `unknownForMs`: it may be registered later.
 * W4. A registry that does not answer is asked again until the caller aborts; no record is blamed.
 */

import { Backoff, pause } from '../../runtime/backoff.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { DecodeFailure } from '../../runtime/ports/decoder.js';
import { compileRecordSchema, type RecordSchema } from './projection.js';
import { AvroSchemaError } from './schema.js';
import { type RegisteredSchema, RegistryError } from './schema-registry.js';

export interface SchemaSource {
  schemaById(id: number, signal?: AbortSignal): Promise<RegisteredSchema>;
}

export interface WriterSchemasOptions {
  readonly clock: Clock;
  /** Default 30,000. */
  readonly unknownForMs?: number;
  /** The registry does not answer, and is asked again with growing waits; told at the first failure of a row. */
  readonly onTrouble?: (error: Error) => void;
  /** The trouble told before is over. */
  readonly onRecovered?: () => void;
}

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/** W3. */
interface Unusable {
  readonly failure: DecodeFailure;
  readonly until: number;
}

export class WriterSchemas {
  private readonly known = new Map<number, RecordSchema>();
  private readonly unusable = new Map<number, Unusable>();
  private readonly pending = new Map<number, Promise<void>>();
  private inTrouble = false;

  constructor(
    private readonly source: SchemaSource,
    private readonly options: WriterSchemasOptions,
  ) {}

  /** The schema, or why there is none. Says `unknown-schema-id` of an id that was never prepared, too. */
  get(id: number): RecordSchema | DecodeFailure {
    const schema = this.known.get(id) ?? this.unusable.get(id)?.failure;
    return schema ?? new DecodeFailure('unknown-schema-id', `schema id ${id} has not been asked for yet`);
  }

  /** Whether the answer for this id is still good, so that nothing needs to be asked. */
  isSettled(id: number): boolean {
    if (this.known.has(id)) return true;
    const unusable = this.unusable.get(id);
    return unusable !== undefined && this.options.clock.now() < unusable.until;
  }

  /** Settles an id. Rejects only with the signal's reason. */
  async load(id: number, signal: AbortSignal): Promise<void> {
    while (!this.isSettled(id)) {
      const pending = this.pending.get(id) ?? this.begin(id, signal);
      try {
        await pending;
      } catch {
        // Whoever began it gave up. We go on by ourselves unless we did too.
        signal.throwIfAborted();
      }
    }
  }

  /** W1. */
  private begin(id: number, signal: AbortSignal): Promise<void> {
    const fetching = this.fetch(id, signal).finally(() => this.pending.delete(id));
    this.pending.set(id, fetching);
    return fetching;
  }

  private async fetch(id: number, signal: AbortSignal): Promise<void> {
    const { clock, unknownForMs = 30_000 } = this.options;
    let failure: DecodeFailure;
    try {
      const { schema, references } = await this.ask(id, signal);
      this.known.set(id, compileRecordSchema(schema, references));
      this.unusable.delete(id);
      return;
    } catch (error) {
      const isUnknown = error instanceof RegistryError && error.code === 'REGISTRY_NOT_FOUND';
      if (isUnknown) failure = new DecodeFailure('unknown-schema-id', `the registry has no schema with id ${id}`);
      else if (isAboutSchema(error) || error instanceof AvroSchemaError) {
        failure = new DecodeFailure('incompatible-schema', `schema id ${id}: ${(error as Error).message}`);
      } else throw error;
    }
    this.unusable.set(id, { failure, until: clock.now() + unknownForMs });
  }

  /** W4. */
  private async ask(id: number, signal: AbortSignal): Promise<RegisteredSchema> {
    const backoff = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
    for (;;) {
      signal.throwIfAborted();
      try {
        const answer = await this.source.schemaById(id, signal);
        this.troubled(false);
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (isAboutSchema(error)) {
          this.troubled(false);
          throw error;
        }
        this.troubled(true, error);
        await pause(this.options.clock, backoff.next(), signal);
      }
    }
  }

  /** Trouble is the registry's, not an id's: it is told once, however many ids wait. */
  private troubled(now: boolean, error?: unknown): void {
    if (now === this.inTrouble) return;
    this.inTrouble = now;
    if (now) this.options.onTrouble?.(error instanceof Error ? error : new Error(String(error)));
    else this.options.onRecovered?.();
  }
}

/** W4: what the registry says of the schema itself; all else is trouble with the registry. */
function isAboutSchema(error: unknown): boolean {
  if (error instanceof AvroSchemaError) return true;
  return error instanceof RegistryError && (error.code === 'REGISTRY_NOT_FOUND' || error.code === 'REGISTRY_NOT_AVRO');
}
