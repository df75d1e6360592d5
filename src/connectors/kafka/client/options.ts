import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Clock } from '../../../runtime/ports/clock.js';
import { systemClock } from '../../system-clock.js';

/** A secret as it stands, or a function that fetches it for each new connection (rotation, token refresh). */
export type Credential = string | (() => string | Promise<string>);

export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: Credential;
      readonly password: Credential;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      readonly token: Credential;
      readonly extensions?: Readonly<Record<string, string>>;
    };

/** How to reach Kafka. Brokers from Kafka 3.1 on are spoken to. */
export interface KafkaOptions {
  /** `host:port` of at least one broker; the others are found through it. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Present (even empty): TLS, with Node's own connection options (`ca`, `cert`, `key`, `servername` …). */
  readonly tls?: TlsOptions;
  readonly sasl?: KafkaSasl;
  /** A member not heard of for so long loses its partitions. Default 15,000 ms; brokers allow 6,000 to 1,800,000. */
  readonly sessionTimeoutMs?: number;
  /** Default 1,000 ms. It bounds how soon a member learns of a rebalance. */
  readonly heartbeatIntervalMs?: number;
  /** How long the group waits for a member that is giving up partitions. Default 60,000 ms. */
  readonly rebalanceTimeoutMs?: number;
  /** A fetch waits this long at the broker when there is nothing to read. Default 250 ms. */
  readonly fetchMaxWaitMs?: number;
  /** Most bytes of one fetch response, and of one partition in it. Defaults 16 MiB and 1 MiB. */
  readonly fetchMaxBytes?: number;
  readonly partitionMaxBytes?: number;
  /** Most bytes of one partition's batch in one produce request. Default 512 KiB. */
  readonly batchMaxBytes?: number;
  /** Default 5,000 ms to connect, 10,000 ms for an answer (on top of what the broker may wait). */
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /**
   * The broker ends a transaction that has been open for so long when it looks next: every 10,000 ms, by its defaults. What a producer
   * that died left open is hidden from readers until then, and whoever gets its partitions waits. Default 5,000 ms: with the broker's
   * look, no longer than the session of the member that died with it.
   */
  readonly transactionTimeoutMs?: number;
  /** A topic that the brokers do not know fails a send after this time. Default 10,000 ms. */
  readonly unknownTopicMs?: number;
  /** How long `close()` of a producer waits for what is still unsent. Default 5,000 ms. */
  readonly closeTimeoutMs?: number;
  readonly clock?: Clock;
}

export type KafkaSettings = Required<Omit<KafkaOptions, 'tls' | 'sasl'>> & Pick<KafkaOptions, 'tls' | 'sasl'>;

export function withDefaults(options: KafkaOptions): KafkaSettings {
  return {
    sessionTimeoutMs: 15_000,
    heartbeatIntervalMs: 1_000,
    rebalanceTimeoutMs: 60_000,
    fetchMaxWaitMs: 250,
    fetchMaxBytes: 16 * 1024 * 1024,
    partitionMaxBytes: 1024 * 1024,
    batchMaxBytes: 512 * 1024,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    transactionTimeoutMs: 5_000,
    unknownTopicMs: 10_000,
    closeTimeoutMs: 5_000,
    clock: systemClock,
    ...options,
  };
}
