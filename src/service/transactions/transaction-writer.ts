import type { Clock } from '../../runtime/ports/clock.js';
import type { Log, LogProducer, OutgoingRecord } from '../../runtime/ports/log.js';
import { notFound, unavailable } from '../problems/problem.js';
import { encodeAll } from './encode-all.js';
import type { SentTransaction } from './sent-transactions.js';
import type { EncodedTransaction, TransactionIngest } from './transaction-ingest.js';

const SEND_TIMEOUT_MS = 10_000;

export interface TransactionWriterOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Of the first stream. */
  readonly ingest: TransactionIngest | null;
  /** See `ServiceParts.ingestOf`. */
  readonly ingestOf?: (stream: string) => TransactionIngest | null | undefined;
}

/**
 * Appends transactions to a stream's topic. A batch is written only when all of it is right.
 *
 * A log that does not answer in time gives a failure, and the batch may be written all the same: whoever sends it again
 * makes repeats with the same ids.
 */
export class TransactionWriter {
  private producer: Promise<LogProducer> | null = null;
  /** What `producer` resolved to. */
  private opened: LogProducer | null = null;
  private isClosed = false;

  constructor(private readonly options: TransactionWriterOptions) {}

  /**
   * Resolves with the ids once all are durable.
   * @param headers of every record (the trace context of the request)
   * @param stream by its name; absent: the first
   * Throws a problem: 404 for a stream that is not there, 422 with everything that is wrong, 503 when the log or the registry is away.
   */
  async write(
    sent: readonly SentTransaction[],
    headers: ReadonlyMap<string, Uint8Array> | undefined,
    stream?: string,
  ): Promise<{ readonly topic: string; readonly ids: readonly (string | null)[] }> {
    const ingest = this.ingestOf(stream);
    await this.prepare(ingest);
    const transactions = encodeAll(ingest, sent, 'Nothing was written.');
    const records = transactions.map(
      ({ key, value }): OutgoingRecord => ({ topic: ingest.topic, key, value, ...(headers ? { headers } : {}) }),
    );
    await this.orUnavailable(this.send(records), 'The log cannot be written at present.');
    return { topic: ingest.topic, ids: transactions.map(({ id }) => id) };
  }

  /**
   * A transaction as the record that `write` would write.
   *
   * Throws a problem as `write` does.
   */
  async recordOf(value: unknown, stream?: string): Promise<{ readonly topic: string } & EncodedTransaction> {
    const ingest = this.ingestOf(stream);
    await this.prepare(ingest);
    const [transaction] = encodeAll(ingest, [{ place: '', value }], 'It was not considered.');
    return { topic: ingest.topic, ...transaction! };
  }

  private prepare(ingest: TransactionIngest): Promise<void> {
    return this.orUnavailable(ingest.prepare(), 'The schema registry does not answer.');
  }

  private ingestOf(stream: string | undefined): TransactionIngest {
    const { ingest, ingestOf } = this.options;
    const found = stream === undefined ? ingest : ingestOf?.(stream);
    if (found === undefined) throw notFound('There is no stream of this name.');
    if (found !== null) return found;
    const which = stream === undefined ? 'No stream of this installation takes' : 'This stream does not take';
    throw unavailable('INGEST_OFF', `${which} transactions over HTTP.`);
  }

  /** Does not wait for a log that has not answered yet. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.opened?.close();
  }

  private async send(records: readonly OutgoingRecord[]): Promise<void> {
    this.producer ??= this.open();
    await (await this.producer).send(records);
  }

  private async open(): Promise<LogProducer> {
    try {
      this.opened = await this.options.log.producer();
    } catch (error) {
      this.producer = null;
      throw error;
    }
    if (this.isClosed) await this.opened.close();
    return this.opened;
  }

  private async orUnavailable(work: Promise<void>, detail: string): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = this.options.clock.schedule(SEND_TIMEOUT_MS, () =>
      reject(new Error(`no answer within ${SEND_TIMEOUT_MS} ms`)),
    );
    try {
      await Promise.race([work, late]);
    } catch (cause) {
      throw unavailable('LOG_AWAY', detail, cause);
    } finally {
      cancel();
    }
  }
}
