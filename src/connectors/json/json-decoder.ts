import { type DecodedRecord, DecodeFailure, type RecordDecoder } from '../../runtime/ports/decoder.js';
import type { LogRecord } from '../../runtime/ports/log.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Records that are JSON objects. They have no name, so `subtype` needs a type field. */
export class JsonDecoder implements RecordDecoder {
  prepare(): undefined {
    return undefined;
  }

  schemaOf(): number {
    return -1;
  }

  decode(record: LogRecord): DecodedRecord | DecodeFailure {
    if (record.value === null || record.value.length === 0)
      return new DecodeFailure('empty-value', 'the record has no value');
    const fields = this.decodeWhole(record.value);
    return fields instanceof DecodeFailure ? fields : { fields, recordName: '' };
  }

  decodeWhole(value: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    try {
      const parsed: unknown = JSON.parse(utf8.decode(value));
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
        return parsed as Record<string, unknown>;
      return new DecodeFailure('malformed', 'the value is JSON, but not an object');
    } catch (error) {
      return new DecodeFailure('malformed', `the value is not JSON: ${(error as Error).message}`);
    }
  }
}
