export type LogErrorCode =
  /** Another process has the folder. */
  | 'LOG_LOCKED'
  /** The folder is not a log of ours, or of a format that this version does not know. */
  | 'LOG_FOREIGN'
  /** A file does not hold what was written to it. */
  | 'LOG_CORRUPT'
  | 'LOG_DISK_FULL'
  /** Another failure of the file system; its `cause` says which. */
  | 'LOG_IO'
  | 'LOG_CLOSED'
  /** Another transactional producer has the id by now. */
  | 'LOG_REPLACED'
  | 'LOG_UNKNOWN_TOPIC'
  | 'LOG_UNKNOWN_PARTITION'
  | 'LOG_INVALID_TOPIC'
  | 'LOG_RECORD_TOO_LARGE'
  /** A record without a key was sent to a compacted topic. */
  | 'LOG_KEY_REQUIRED';

/** What a log in this process throws. The message says what to do. */
export class LogError extends Error {
  constructor(
    readonly code: LogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'LogError';
  }
}
