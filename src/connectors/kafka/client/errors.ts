import { types } from 'node:util';
import { AuthenticationError, ProtocolError, protocolErrors, UserError } from '@platformatic/kafka';

/**
 * `KAFKA_UNAVAILABLE`: no broker answers, or none leads the partition; it may pass.
 * `KAFKA_RECORDS_GONE`: retention deleted records before they were read.
 * `KAFKA_PRODUCER_FENCED`: another producer took over this one's transactional id.
 * All others do not pass by themselves.
 */
export type KafkaErrorCode =
  | 'KAFKA_UNAVAILABLE'
  | 'KAFKA_RECORDS_GONE'
  | 'KAFKA_CLOSED'
  | 'KAFKA_BROKER_TOO_OLD'
  | 'KAFKA_UNKNOWN_TOPIC'
  | 'KAFKA_UNKNOWN_PARTITION'
  | 'KAFKA_RECORD_TOO_LARGE'
  | 'KAFKA_AUTHENTICATION_FAILED'
  | 'KAFKA_NOT_AUTHORIZED'
  | 'KAFKA_PRODUCER_FENCED'
  | 'KAFKA_LISTENER_FAILED'
  | 'KAFKA_REJECTED';

export class KafkaError extends Error {
  constructor(
    readonly code: KafkaErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'KafkaError';
  }
}

/** Errors of the protocol that a later attempt may not meet, and that the client does not mark so. */
const PASSING = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'OFFSET_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'CORRUPT_MESSAGE',
  'REBALANCE_IN_PROGRESS',
  'THROTTLING_QUOTA_EXCEEDED',
]);

/** The brokers have ended the transaction, or do not know its producer under this epoch any more. */
export const TRANSACTION_OVER: readonly string[] = [
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'TRANSACTIONAL_ID_NOT_FOUND',
  'TRANSACTION_ABORTABLE',
];

/** Node's codes for a certificate that is not to be trusted; another attempt will not meet a better one. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** One of the two sides could not show who it is. */
function isUnauthenticated(chain: readonly Error[]): boolean {
  return chain.some((e) => e instanceof AuthenticationError || UNTRUSTED.has((e as NodeJS.ErrnoException).code ?? ''));
}

/** Whether an error of the protocol, by Kafka's own name, may be gone at the next attempt. */
export function passes(id: string): boolean {
  const known: Readonly<Record<string, { readonly canRetry: boolean }>> = protocolErrors;
  return PASSING.has(id) || known[id]?.canRetry === true;
}

/** All errors below one: causes and the members of aggregates. */
function* within(error: unknown): Generator<Error> {
  // Not `instanceof`: Node's own errors may come from another realm.
  if (!types.isNativeError(error)) return;
  yield error;
  if (error.cause !== undefined) yield* within(error.cause);
  if (error instanceof AggregateError) for (const inner of error.errors) yield* within(inner);
}

function answers(error: unknown): ProtocolError[] {
  return [...within(error)].filter((e) => e instanceof ProtocolError);
}

/** Kafka's own names of what went wrong, such as `NOT_COORDINATOR`; empty when the answer never came. */
export function protocolIds(error: unknown): string[] {
  return answers(error).map((e) => String(e.apiId));
}

export function hasId(error: unknown, ...ids: readonly string[]): boolean {
  return protocolIds(error).some((id) => ids.includes(id));
}

/** True when trying again may help: the network, a leader or coordinator that moves, a broker that starts. */
export function isPassing(error: unknown): boolean {
  if (error instanceof KafkaError) return error.code === 'KAFKA_UNAVAILABLE';
  const chain = [...within(error)];
  if (isUnauthenticated(chain) || chain.some((e) => e instanceof UserError)) return false;
  const ids = protocolIds(error);
  if (ids.length > 0) return ids.every(passes);
  // A `TypeError` and the like is a fault of ours, never the network's.
  return !chain.some((e) => e instanceof TypeError || e instanceof RangeError || e instanceof KafkaError);
}

/** What is shown to people: one of our codes, the broker's own words, the cause kept. */
export function asKafkaError(error: unknown, doing: string): KafkaError {
  if (error instanceof KafkaError) return error;
  const chain = [...within(error)];
  const ids = protocolIds(error);
  const words = ids.length > 0 ? ids.join(', ') : (chain.at(-1)?.message ?? String(error));
  return new KafkaError(codeOf(error, chain, ids), `${doing}: ${words}`, { cause: error });
}

function codeOf(error: unknown, chain: readonly Error[], ids: readonly string[]): KafkaErrorCode {
  if (isUnauthenticated(chain)) return 'KAFKA_AUTHENTICATION_FAILED';
  if (ids.some((id) => id.endsWith('AUTHORIZATION_FAILED'))) return 'KAFKA_NOT_AUTHORIZED';
  if (ids.includes('MESSAGE_TOO_LARGE') || ids.includes('RECORD_LIST_TOO_LARGE')) return 'KAFKA_RECORD_TOO_LARGE';
  if (ids.includes('UNKNOWN_TOPIC_OR_PARTITION')) return 'KAFKA_UNKNOWN_TOPIC';
  return isPassing(error) ? 'KAFKA_UNAVAILABLE' : 'KAFKA_REJECTED';
}
