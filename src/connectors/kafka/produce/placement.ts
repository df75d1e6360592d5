/**
 * Which partition a record goes to. Records whose topic is not known yet wait here, in order, until the cluster has said how many
 * partitions there are; a topic that does not come to be in time fails them.
 */

import { partitionOfKey } from '../../../runtime/partitioner.js';
import type { OutgoingRecord } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';
import { KafkaError } from '../client/errors.js';
import type { Ticket } from './outbox.js';

/** What choosing a partition goes by. */
export interface Choice {
  /** `null`: not known. */
  partitions: number | null;
  /** Counts records without a key. */
  roundRobin: number;
}

interface Topic extends Choice {
  missingSince: number | null;
  readonly waiting: { readonly record: OutgoingRecord; readonly ticket: Ticket }[];
}

export class Placement {
  readonly #topics = new Map<string, Topic>();
  readonly #waiting = new Set<string>();

  constructor(
    private readonly cluster: Cluster,
    private readonly put: (record: OutgoingRecord, partition: number, ticket: Ticket) => void,
  ) {}

  place(record: OutgoingRecord, ticket: Ticket): void {
    const topic = this.#topic(record.topic);
    const partition = topic.waiting.length > 0 ? null : choose(record, topic);
    if (partition !== null) {
      this.put(record, partition, ticket);
      return;
    }
    topic.waiting.push({ record, ticket });
    this.#waiting.add(record.topic);
  }

  /** Topics that have to be asked for. */
  get waiting(): ReadonlySet<string> {
    return this.#waiting;
  }

  /** The cluster was asked for this topic. Returns the error for everything of the topic when it is missing for too long. */
  learned(name: string, now: number): KafkaError | null {
    const topic = this.#topic(name);
    const partitions = this.cluster.topic(name)?.leaders.length ?? null;
    if (partitions === null) return this.#missing(name, topic, now);
    topic.missingSince = null;
    topic.partitions = partitions;
    this.#waiting.delete(name);
    for (const { record, ticket } of topic.waiting.splice(0)) {
      const partition = choose(record, topic);
      if (partition !== null) this.put(record, partition, ticket);
      else ticket.failed(new KafkaError('KAFKA_UNKNOWN_PARTITION', `${name} has no partition ${record.partition}`));
    }
    return null;
  }

  failAll(error: Error): void {
    for (const [name, topic] of this.#topics) this.#fail(name, topic, error);
  }

  #missing(name: string, topic: Topic, now: number): KafkaError | null {
    topic.missingSince ??= now;
    if (now - topic.missingSince < this.cluster.settings.unknownTopicMs) return null;
    const error = new KafkaError('KAFKA_UNKNOWN_TOPIC', `topic ${name} does not exist`);
    topic.missingSince = null;
    topic.partitions = null;
    this.#fail(name, topic, error);
    return error;
  }

  #fail(name: string, topic: Topic, error: Error): void {
    this.#waiting.delete(name);
    for (const { ticket } of topic.waiting.splice(0)) ticket.failed(error);
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { partitions: null, missingSince: null, waiting: [], roundRobin: 0 };
      this.#topics.set(name, topic);
    }
    return topic;
  }
}

/** `null`: not known, or beyond what is known. */
export function choose(record: OutgoingRecord, topic: Choice): number | null {
  const { partitions } = topic;
  if (partitions === null) return null;
  if (record.partition !== undefined) {
    return record.partition >= 0 && record.partition < partitions ? record.partition : null;
  }
  return record.key === null ? topic.roundRobin++ % partitions : partitionOfKey(record.key, partitions);
}
