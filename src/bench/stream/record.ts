import { ByteReader, ByteWriter } from '../../engine/index.js';

/** What the rules of the workloads read of a row. */
export type Fields = {
  readonly accountId: string;
  readonly type: string;
  readonly amount: number;
  readonly country: string;
};

const text = new TextEncoder();
const reader = new TextDecoder();
// One for all records: encoding has no pauses.
const out = new ByteWriter();

/** A transaction as a binary record of some 30 bytes, in place of the Avro record of a service. */
export function encodeRecord(fields: Fields): Uint8Array {
  out.byteString(text.encode(fields.accountId));
  out.byteString(text.encode(fields.type));
  out.double(fields.amount);
  out.byteString(text.encode(fields.country));
  return out.finish();
}

export function decodeRecord(record: Uint8Array): Fields {
  const input = new ByteReader(record);
  const string = (): string => reader.decode(input.byteString());
  return { accountId: string(), type: string(), amount: input.double(), country: string() };
}
