import { ObjectStoreError } from '../../runtime/ports/object-store.js';

type Code = ObjectStoreError['code'];

/** What a log's errors mean for objects, and what to do; by their codes, so that any log may be beneath. */
const MEANINGS: Readonly<Record<string, readonly [Code, string]>> = {
  KAFKA_UNAVAILABLE: ['OBJECTS_AWAY', 'see whether the brokers can be reached'],
  KAFKA_AUTHENTICATION_FAILED: ['OBJECTS_DENIED', 'look at kafka.sasl and kafka.tls'],
  KAFKA_NOT_AUTHORIZED: ['OBJECTS_DENIED', 'give this user the right to read, write, describe and create the topic'],
  KAFKA_RECORD_TOO_LARGE: ['OBJECTS_IO', 'set max.message.bytes of the topic to 1048576 or more'],
  LOG_DISK_FULL: ['OBJECTS_FULL', "free space on the log's disk"],
};

/** The port's error for what a log has thrown while doing `what`. */
export function asObjectError(error: unknown, what: string): unknown {
  if (error instanceof ObjectStoreError || !(typeof error === 'object' && error !== null && 'code' in error))
    return error;
  const [code, advice] = MEANINGS[String(error.code)] ?? ['OBJECTS_IO', undefined];
  const reason = 'message' in error ? String(error.message) : String(error.code);
  const message = `cannot ${what}: ${reason}${advice === undefined ? '' : `; ${advice}`}`;
  return new ObjectStoreError(code, message, { cause: error });
}
