export type RecordFileErrorCode =
  | 'FILE_UNREADABLE'
  /** Not a file of the kind it should be. */
  | 'FILE_FORMAT'
  /** It ends within a block or a record: most likely still being written, or cut off when it was copied. */
  | 'FILE_TRUNCATED'
  /** The bytes of a block or record do not hold. */
  | 'FILE_CORRUPT'
  | 'FILE_CODEC'
  /** The records cannot be read as the reader schema has them. */
  | 'FILE_SCHEMA';

/** What is wrong with a file of records, and where. */
export class RecordFileError extends Error {
  constructor(
    readonly code: RecordFileErrorCode,
    readonly path: string,
    /** Byte (Avro) or line from 1 (NDJSON) at which it goes wrong. */
    readonly position: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
