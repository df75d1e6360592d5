import { join } from 'node:path';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import type { OutgoingRecord } from '../../src/runtime/ports/log.js';
import { TOPIC } from './config.js';
import { root } from './service-process.js';

/** Writes transactions as records of the topic, keyed by their account. Throws on one that does not fit the shipped schema. */
export class TransactionRecords {
  private readonly encoder = new TransactionEncoder(readAvroSchema(join(root, 'schemas', 'transaction.avsc')));

  record(transaction: { readonly transactionId: string; readonly accountId: string }): OutgoingRecord {
    const value = this.encoder.encode(transaction);
    if (!value.ok) throw new Error(JSON.stringify(value.errors));
    return { topic: TOPIC, key: Buffer.from(transaction.accountId), value: value.bytes };
  }
}
