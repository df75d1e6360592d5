/**
 * Requests to brokers over connections of one's own.
 *
 * 1. A broker answers the requests of one connection one after the other, so whoever may wait at the broker (a fetch, a join)
 *    opens a link of its own; nothing else is ever queued behind it.
 * 2. The version of each request is chosen by what this broker, on this connection, says it understands.
 */
import type { API, Broker, Connection } from '@platformatic/kafka';
import { apiVersionsV3, ConnectionPool } from '@platformatic/kafka';
import { asKafkaError, KafkaError } from './errors.js';
import type { KafkaSettings } from './options.js';

/** One request of the protocol in the versions we can speak, newest first; all take the same arguments. */
export type ApiFamily<A extends unknown[], R> = readonly API<A, R>[];

type Versions = ReadonlyMap<number, { readonly min: number; readonly max: number }>;

export class Link {
  readonly #pool: ConnectionPool;
  readonly #versions = new WeakMap<Connection, Promise<Versions>>();
  #closed = false;

  /** `waitMs`: how long a broker may hold an answer back on this link, on top of the request timeout. */
  constructor(settings: KafkaSettings, waitMs = 0) {
    const { tls, sasl } = settings;
    this.#pool = new ConnectionPool(settings.clientId, {
      connectTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.requestTimeoutMs + waitMs,
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
    });
    // The pool listens for a connection's first error only; without a listener a second one would end the process.
    this.#pool.on('connecting', ({ connection }) => connection.on('error', () => {}));
  }

  get closed(): boolean {
    return this.#closed;
  }

  async connection(broker: Broker): Promise<Connection> {
    if (this.#closed) throw new KafkaError('KAFKA_CLOSED', 'the connection was closed');
    return this.#pool.get(broker);
  }

  async call<A extends unknown[], R>(broker: Broker, family: ApiFamily<A, R>, ...args: A): Promise<R> {
    const connection = await this.connection(broker);
    const api = await this.choose(connection, family);
    return api.async(connection, ...args);
  }

  /** The newest version that both sides know. */
  async choose<A extends unknown[], R>(connection: Connection, family: ApiFamily<A, R>): Promise<API<A, R>> {
    const versions = await this.#versionsOf(connection);
    const newest = family[0];
    if (newest === undefined) throw new TypeError('an API family has at least one version');
    const range = versions.get(newest.key);
    const chosen = family.find((api) => range !== undefined && api.version >= range.min && api.version <= range.max);
    if (chosen === undefined) {
      const known = range === undefined ? 'none' : `${range.min} to ${range.max}`;
      throw new KafkaError(
        'KAFKA_BROKER_TOO_OLD',
        `the broker knows versions ${known} of request ${newest.key}, we need ${family.at(-1)?.version} to ${newest.version} (Kafka 3.1 or newer)`,
      );
    }
    return chosen;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close().catch((error: unknown) => {
      throw asKafkaError(error, 'closing connections');
    });
  }

  #versionsOf(connection: Connection): Promise<Versions> {
    const known = this.#versions.get(connection);
    if (known !== undefined) return known;
    const asked = apiVersionsV3.api
      .async(connection, 'stakeout', '1')
      .then(({ apiKeys }) => new Map(apiKeys.map((k) => [k.apiKey, { min: k.minVersion, max: k.maxVersion }])));
    this.#versions.set(connection, asked);
    asked.catch(() => this.#versions.delete(connection));
    return asked;
  }
}

function saslOptions(sasl: NonNullable<KafkaSettings['sasl']>) {
  if (sasl.mechanism !== 'OAUTHBEARER') {
    return { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password };
  }
  const extensions = sasl.extensions === undefined ? {} : { oauthBearerExtensions: { ...sasl.extensions } };
  return { mechanism: sasl.mechanism, token: sasl.token, ...extensions };
}
