import { LogError } from '../../../runtime/local-log/log-error.js';

/** Errors of the file system that mean: no room. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The code of a system error; not by `instanceof`, which fails for errors of another realm (workers, test runners). */
export function errnoOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The log's error for a failure of the file system while doing `what` with `path`. */
export function fileError(error: unknown, what: string, path: string): LogError {
  if (error instanceof LogError) {
    return error;
  }
  const errno = errnoOf(error);
  if (errno !== undefined && FULL.has(errno)) {
    return new LogError(
      'LOG_DISK_FULL',
      `no room to ${what} ${path} (${errno}). Free space on its disk, or shorten retention; sending may then be tried again.`,
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new LogError('LOG_IO', `cannot ${what} ${path}: ${reason}`, { cause: error });
}

/** A file does not hold what was written to it. */
export function corrupt(path: string, position: number, offset: number, what: string): LogError {
  return new LogError(
    'LOG_CORRUPT',
    `${path} is damaged at byte ${position}, from record offset ${offset} on: ${what}. Put an undamaged copy of the file there; or, ` +
      'to give up the records from there on, move this file and all later ones of its folder away and start again.',
  );
}
