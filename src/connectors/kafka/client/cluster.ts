/**
 * What is known of the cluster: brokers, topics, who leads which partition. Shared by all readers and writers of one log.
 *
 * 1. Nothing here retries: callers decide how long they try and what they report.
 * 2. The bootstrap brokers are always asked too, so a cluster that moved as a whole is found again.
 */
import type { Broker, metadataV12 } from '@platformatic/kafka';
import { MultipleErrors } from '@platformatic/kafka';
import type { TopicInfo } from '../../../runtime/ports/log.js';
import { apis } from './apis.js';
import { asKafkaError, isPassing, KafkaError } from './errors.js';
import { type ApiFamily, Link } from './link.js';
import type { KafkaSettings } from './options.js';

export interface TopicView {
  readonly name: string;
  readonly id: string;
  /** Node id of the leader by partition; -1 while there is none. */
  readonly leaders: readonly number[];
}

const INTERNAL = /^__/;

export class Cluster {
  readonly link: Link;
  readonly #bootstrap: readonly Broker[];
  #brokers = new Map<number, Broker>();
  #topics = new Map<string, TopicView>();
  #controller = -1;

  constructor(readonly settings: KafkaSettings) {
    this.link = new Link(settings);
    this.#bootstrap = settings.brokers.map(parseBroker);
  }

  broker(node: number): Broker {
    const broker = this.#brokers.get(node);
    if (broker === undefined) throw new KafkaError('KAFKA_UNAVAILABLE', `broker ${node} is not in the cluster now`);
    return broker;
  }

  topic(name: string): TopicView | undefined {
    return this.#topics.get(name);
  }

  /** Node that leads a partition, as far as known; `undefined` when it must be asked for. */
  leader(topic: string, partition: number): number | undefined {
    const node = this.#topics.get(topic)?.leaders[partition];
    return node === undefined || node < 0 || !this.#brokers.has(node) ? undefined : node;
  }

  /** Asks for these topics, or for all; topics that do not exist are absent afterwards. */
  async refresh(topics: readonly string[] | null): Promise<void> {
    const asked = topics === null ? null : [...topics];
    const response = await this.askAny((broker) => this.#metadata(broker, asked));
    this.#brokers = new Map(response.brokers.map((b) => [b.nodeId, { host: b.host, port: b.port }]));
    this.#controller = response.controllerId;
    if (topics === null) this.#topics.clear();
    else for (const name of topics) this.#topics.delete(name);
    for (const { name, topicId, errorCode, partitions } of response.topics) {
      if (name == null || errorCode !== 0) continue;
      const leaders: number[] = new Array(partitions.length).fill(-1);
      for (const p of partitions) leaders[p.partitionIndex] = p.leaderId;
      this.#topics.set(name, { name, id: topicId, leaders });
    }
  }

  /** Every topic known after `refresh(null)` that users own. */
  userTopics(): TopicInfo[] {
    return [...this.#topics.values()]
      .filter(({ name }) => !INTERNAL.test(name))
      .map(({ name, leaders }) => ({ name, partitions: leaders.length }));
  }

  /** Which broker looks after a group, or after the transactions of an id. */
  async coordinator(of: 'group' | 'transaction', id: string): Promise<Broker> {
    const type = of === 'group' ? 0 : 1;
    const response = await this.askAny((broker) => this.link.call(broker, apis.findCoordinator, type, [id]));
    const found = response.coordinators[0];
    if (found === undefined) throw new KafkaError('KAFKA_UNAVAILABLE', `no coordinator for ${of} ${id}`);
    return { host: found.host, port: found.port };
  }

  /** One request to the controller (any broker passes it on where there is no ZooKeeper). */
  async askController<A extends unknown[], R>(family: ApiFamily<A, R>, ...args: A): Promise<R> {
    const controller = this.#brokers.get(this.#controller);
    if (controller !== undefined) return this.link.call(controller, family, ...args);
    return this.askAny((broker) => this.link.call(broker, family, ...args));
  }

  /** Tries the brokers in turn until one answers. An answer that cannot change is thrown at once. */
  async askAny<R>(ask: (broker: Broker) => Promise<R>): Promise<R> {
    const errors: Error[] = [];
    for (const broker of this.#candidates()) {
      try {
        return await ask(broker);
      } catch (error) {
        if (!isPassing(error) || this.link.closed) throw asKafkaError(error, `broker ${broker.host}:${broker.port}`);
        errors.push(asKafkaError(error, `broker ${broker.host}:${broker.port}`));
      }
    }
    throw new KafkaError('KAFKA_UNAVAILABLE', `no broker answers (${errors.map((e) => e.message).join('; ')})`, {
      cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
    });
  }

  close(): Promise<void> {
    return this.link.close();
  }

  async #metadata(broker: Broker, topics: string[] | null): Promise<metadataV12.MetadataResponse> {
    try {
      return await this.link.call(broker, apis.metadata, topics, false, false);
    } catch (error) {
      // An error about one topic comes as an exception that holds the whole answer.
      const response =
        error instanceof MultipleErrors ? (error as { response?: metadataV12.MetadataResponse }).response : undefined;
      if (response === undefined) throw error;
      return response;
    }
  }

  #candidates(): Broker[] {
    const seen = new Map<string, Broker>();
    for (const b of [...this.#brokers.values(), ...this.#bootstrap]) seen.set(`${b.host}:${b.port}`, b);
    return [...seen.values()];
  }
}

function parseBroker(address: string): Broker {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d+))?$/.exec(address.trim());
  const host = match?.groups?.v6 ?? match?.groups?.host;
  if (host === undefined) throw new KafkaError('KAFKA_REJECTED', `'${address}' is not host:port`);
  return { host, port: Number(match?.groups?.port ?? 9092) };
}
