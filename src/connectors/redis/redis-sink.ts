/**
 * Committed alerts in Redis. With the prefix `stakeout`:
 *
 * | key | type | content |
 * |---|---|---|
 * | `stakeout:alerts` | stream, capped | an entry for each alert: id, patternId, title, severity, score, key, keyField, detectedAt, message, and the whole alert as JSON in `alert` |
 * | `stakeout:risk:<key>` | hash | the risk of an account, read with one HGETALL: see below |
 * | `stakeout:seen` | sorted set | ids of the alerts written lately |
 * | `stakeout:alerts` | channel | each new alert as JSON |
 *
 * Fields of the risk hash: `score`, the highest score of the alerts within the expiry before the newest one, in event time;
 * `lastAlertAt` (ms since 1970), `lastAlertId`, `lastPattern`, `lastSeverity` of the newest alert; `count` of alerts since the hash is there;
 * `alerts`, a JSON list of the last alerts, newest first; `keyField`. It expires when no alert was written for so long.
 *
 * R1. An alert is written by one script: all of it or nothing.
 * R2. An alert that was written before changes nothing: no entry, no message, no score, no count. Ids are remembered for
 *     `seenForMs`, at most `seenMax` of them.
 * R3. `write` resolves only when Redis has acknowledged every alert. It never waits for a Redis that is away: it throws,
 *     and its caller writes the same alerts again.
 *
 * Redis Cluster wants all keys of a script in one slot: use a prefix with a hash tag, `{stakeout}`. All keys then live on
 * one node of the cluster.
 */
import { createClient, ErrorReply } from 'redis';
import type { Severity } from '../../rules/rule.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { AlertSink } from '../../runtime/sinks/alert-sink.js';
import { clientOptions, type RedisConnection } from './connection.js';
import { type WriteAlertArguments, type WriteAlertKeys, writeAlert } from './write-alert.js';

export interface RedisSinkOptions {
  /** For logs, metrics and the consumer group. Default `redis`. */
  readonly name?: string;
  /** `redis://` or `rediss://` (TLS), with user, password and database where needed. */
  readonly url: string;
  /** What the URL does not say. */
  readonly connection?: RedisConnection;
  readonly clock: Clock;
  /** Beginning of every key and channel. Default `stakeout`. */
  readonly prefix?: string;
  /**
   * Field whose keys are the accounts of `risk:<key>`. Alerts keyed by another field then get `risk:<field>:<key>`, so that
   * terminal 17 is not taken for account 17. Absent: all keys are taken for accounts.
   */
  readonly accountField?: string;
  /** How long a risk is kept after its last alert, and the window of its score. Default 7 days. */
  readonly expiryMs?: number;
  /** Last alerts kept with a risk. Default 20. */
  readonly alertsMax?: number;
  /** About how long the stream may get. Default 100,000. */
  readonly streamLength?: number;
  /** How long the id of a written alert is remembered. Default 24 hours. */
  readonly seenForMs?: number;
  /** How many ids are remembered. Default 100,000. */
  readonly seenMax?: number;
  /** Longest wait for a connection, and for the acknowledgement of 100 alerts. Default 2,000. */
  readonly timeoutMs?: number;
}

export type RedisSinkErrorCode =
  /** No connection, or it broke. */
  | 'REDIS_UNAVAILABLE'
  /** Redis does not answer. */
  | 'REDIS_TIMEOUT'
  /** Redis answers with an error: out of memory, a replica, no rights, a key of another type. */
  | 'REDIS_REFUSED'
  | 'REDIS_CLOSED';

export class RedisSinkError extends Error {
  constructor(
    readonly code: RedisSinkErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface RiskAlert {
  readonly id: string;
  readonly patternId: string;
  readonly title: string;
  readonly severity: Severity;
  readonly score: number;
  readonly detectedAt: number;
  readonly message: string;
}

export interface Risk {
  /** 0 to 100. */
  readonly score: number;
  /** Milliseconds since 1970. */
  readonly lastAlertAt: number;
  readonly lastAlertId: string;
  readonly lastPattern: string;
  readonly lastSeverity: Severity;
  readonly keyField: string;
  readonly count: number;
  /** Newest first. */
  readonly alerts: readonly RiskAlert[];
}

const DAY_MS = 86_400_000;
const ALERTS_AT_ONCE = 100;

type Settings = Required<Omit<RedisSinkOptions, 'accountField' | 'name' | 'connection'>>;

function connectTo(url: string, connection: RedisConnection, timeoutMs: number) {
  const { login, socket } = clientOptions(url, connection);
  return createClient({
    url,
    ...login,
    scripts: { writeAlert },
    // A broken connection is given up (R3); a new one is made by the next write.
    socket: { connectTimeout: timeoutMs, reconnectStrategy: false, ...socket },
    disableOfflineQueue: true,
    RESP: 2,
  });
}

type Client = ReturnType<typeof connectTo>;

export class RedisSink implements AlertSink {
  readonly name: string;
  private readonly settings: Settings;
  private readonly accountField: string | undefined;
  private readonly login: RedisConnection;
  private readonly address: string;
  private connection: Promise<Client> | null = null;
  /** What `connection` resolved to. */
  private client: Client | null = null;
  private isClosed = false;

  constructor({ name = 'redis', accountField, connection = {}, ...options }: RedisSinkOptions) {
    this.name = name;
    this.login = connection;
    this.accountField = accountField;
    this.settings = {
      prefix: 'stakeout',
      expiryMs: 7 * DAY_MS,
      alertsMax: 20,
      streamLength: 100_000,
      seenForMs: DAY_MS,
      seenMax: 100_000,
      timeoutMs: 2_000,
      ...options,
    };
    // The URL may hold a password.
    this.address = new URL(options.url).host;
  }

  /** Throws `RedisSinkError`; some of the alerts may be written then, and writing them again changes nothing. */
  async write(alerts: readonly Alert[]): Promise<void> {
    for (let from = 0; from < alerts.length; from += ALERTS_AT_ONCE) {
      const some = alerts.slice(from, from + ALERTS_AT_ONCE);
      await this.withClient(async (client) => {
        // Sent in one go, in order; the first failure is that of all after it.
        const results = await Promise.allSettled(
          some.map((alert) => client.writeAlert(this.keysOf(alert), this.argumentsOf(alert))),
        );
        for (const result of results) if (result.status === 'rejected') throw result.reason;
      });
    }
  }

  /**
   * The risk of an account (or of another key, with its field). `null`: no alert within the expiry.
   * Throws `RedisSinkError`.
   */
  async readRisk(key: string, keyField?: string): Promise<Risk | null> {
    const hash: Readonly<Record<string, string>> = await this.withClient((client) =>
      client.hGetAll(this.riskKey(key, keyField ?? this.accountField)),
    );
    if (hash.score === undefined) return null;
    return {
      score: Number(hash.score),
      lastAlertAt: Number(hash.lastAlertAt),
      lastAlertId: hash.lastAlertId ?? '',
      lastPattern: hash.lastPattern ?? '',
      lastSeverity: hash.lastSeverity as Severity,
      keyField: hash.keyField ?? '',
      count: Number(hash.count),
      alerts: JSON.parse(hash.alerts ?? '[]') as RiskAlert[],
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const client = await this.connection?.catch(() => null);
    this.drop(client ?? null);
  }

  private riskKey(key: string, keyField: string | undefined): string {
    const isAccount = this.accountField === undefined || keyField === this.accountField;
    return `${this.settings.prefix}:risk:${isAccount ? key : `${keyField}:${key}`}`;
  }

  private keysOf(alert: Alert): WriteAlertKeys {
    const { prefix } = this.settings;
    return { stream: `${prefix}:alerts`, seen: `${prefix}:seen`, risk: this.riskKey(alert.key, alert.keyField) };
  }

  private argumentsOf(alert: Alert): WriteAlertArguments {
    const { prefix, clock, seenMax, seenForMs, streamLength, expiryMs, alertsMax } = this.settings;
    const { id, patternId, title, severity, score, key, keyField, detectedAt, message } = alert;
    const summary: RiskAlert = { id, patternId, title, severity, score, detectedAt, message };
    const json = JSON.stringify(alert);
    return {
      id,
      now: clock.now(),
      seenMax,
      seenForMs,
      streamLength,
      expiryMs,
      alertsMax,
      channel: `${prefix}:alerts`,
      detectedAt,
      score,
      latest: { lastAlertId: id, lastPattern: patternId, lastSeverity: severity, keyField },
      summary: JSON.stringify(summary),
      alert: json,
      entry: {
        ...{ id, patternId, title, severity, score: String(score), key, keyField },
        ...{ detectedAt: String(detectedAt), message, alert: json },
      },
    };
  }

  /** Runs `work` on the connection, within the time allowed; a connection that failed is dropped. */
  private async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    let client: Client | null = null;
    try {
      client = await this.connected();
      return await this.withinTimeout(work(client));
    } catch (cause) {
      const error = this.explain(cause);
      if (error.code !== 'REDIS_REFUSED') this.drop(client);
      throw error;
    }
  }

  private connected(): Promise<Client> {
    if (this.isClosed) throw new RedisSinkError('REDIS_CLOSED', 'The Redis sink is closed');
    if (this.connection === null) {
      const connection = this.connect();
      this.connection = connection;
      connection.catch(() => {
        if (this.connection === connection) this.connection = null;
      });
    }
    return this.connection;
  }

  private async connect(): Promise<Client> {
    const client = connectTo(this.settings.url, this.login, this.settings.timeoutMs);
    // The commands under way hear of it themselves. Between writes nobody does: the next one connects anew.
    client.on('error', () => this.drop(client));
    try {
      await this.withinTimeout(client.connect());
    } catch (error) {
      this.drop(client);
      throw error;
    }
    this.client = client;
    return client;
  }

  /** Lets go of a connection, once; another one may be in use already. */
  private drop(client: Client | null): void {
    if (client !== null && client === this.client) {
      this.client = null;
      this.connection = null;
    }
    if (client?.isOpen) client.destroy();
  }

  private withinTimeout<T>(work: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.settings;
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(timeoutMs, () => {
        reject(new RedisSinkError('REDIS_TIMEOUT', `Redis at ${this.address}: no answer within ${timeoutMs} ms`));
      });
      work.then(resolve, reject).finally(cancel);
    });
  }

  private explain(cause: unknown): RedisSinkError {
    if (cause instanceof RedisSinkError) return cause;
    const code = cause instanceof ErrorReply ? 'REDIS_REFUSED' : 'REDIS_UNAVAILABLE';
    // A refused connection to several addresses has no message of its own.
    const { message, code: reason } = cause as Error & { readonly code?: string };
    return new RedisSinkError(code, `Redis at ${this.address}: ${message || reason}`, { cause });
  }
}
