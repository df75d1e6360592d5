/** Topics and offsets. Each call tries again while brokers are away, for a bounded time. */

import { pause } from '../../runtime/backoff.js';
import type { TopicInfo, TopicPartition, TopicSpec } from '../../runtime/ports/log.js';
import { partitionName } from '../../runtime/ports/log.js';
import { apis } from './client/apis.js';
import type { Cluster } from './client/cluster.js';
import { asKafkaError, hasId, isPassing, KafkaError } from './client/errors.js';
import { kafkaBackoff } from './client/timing.js';
import { Coordinator } from './group/coordinator.js';
import { BEGIN, END, listOffsets, READ_UNCOMMITTED } from './read/offsets.js';

const ADMIN_TIMEOUT_MS = 30_000;
const BY_BROKER = -1;

export class Admin {
  readonly #stop = new AbortController();

  constructor(private readonly cluster: Cluster) {}

  async topics(): Promise<readonly TopicInfo[]> {
    return this.#try('listing topics', async () => {
      await this.cluster.refresh(null);
      return this.cluster.userTopics();
    });
  }

  /** Resolves when every partition has a leader. */
  async createTopic(spec: TopicSpec): Promise<void> {
    const { name, partitions: numPartitions, retentionMs, compacted } = spec;
    const configs = [];
    if (retentionMs !== undefined) configs.push({ name: 'retention.ms', value: String(retentionMs) });
    if (compacted) configs.push({ name: 'cleanup.policy', value: 'compact' });
    const topic = { name, numPartitions, replicationFactor: BY_BROKER, assignments: [], configs };
    await this.#try(`creating topic ${name}`, async () => {
      await this.cluster.refresh([name]);
      if (this.cluster.topic(name) !== undefined) return;
      await this.cluster.askController(apis.createTopics, [topic], ADMIN_TIMEOUT_MS, false).catch((error: unknown) => {
        if (!hasId(error, 'TOPIC_ALREADY_EXISTS')) throw error;
      });
    });
    await this.#try(`waiting for topic ${name}`, async () => {
      await this.cluster.refresh([name]);
      const leaders = this.cluster.topic(name)?.leaders ?? [-1];
      if (leaders.some((node) => node < 0)) {
        throw new KafkaError('KAFKA_UNAVAILABLE', `topic ${name} was made, but has no leaders`);
      }
    });
  }

  /**
   * The end is that of all records, also of transactions under way or just decided: whoever reads up to it (and so waits for those)
   * misses nothing that was committed before the call.
   */
  async offsets(of: TopicPartition): Promise<{ begin: number; end: number }> {
    return this.#try(`offsets of ${partitionName(of)}`, async () => {
      await this.cluster.refresh([of.topic]);
      const [begin, end] = await Promise.all([
        listOffsets(this.cluster, [of], BEGIN),
        listOffsets(this.cluster, [of], END, READ_UNCOMMITTED),
      ]);
      return { begin: begin.get(partitionName(of)) ?? 0, end: end.get(partitionName(of)) ?? 0 };
    });
  }

  async offsetAt(of: TopicPartition, timestamp: number): Promise<number> {
    return this.#try(`offset of ${partitionName(of)} at a time`, async () => {
      await this.cluster.refresh([of.topic]);
      const found = (await listOffsets(this.cluster, [of], BigInt(timestamp))).get(partitionName(of)) ?? -1;
      if (found >= 0) return found;
      return (await listOffsets(this.cluster, [of], END)).get(partitionName(of)) ?? 0;
    });
  }

  async committed(groupId: string): Promise<ReadonlyMap<string, number>> {
    const coordinator = new Coordinator(this.cluster, groupId);
    try {
      return await this.#try(`committed offsets of ${groupId}`, () =>
        coordinator.committed(null).catch((error: unknown) => {
          if (hasId(error, 'GROUP_ID_NOT_FOUND')) return new Map<string, number>();
          throw error;
        }),
      );
    } finally {
      await coordinator.close();
    }
  }

  close(): void {
    this.#stop.abort();
  }

  async #try<R>(doing: string, attempt: () => Promise<R>): Promise<R> {
    const { clock } = this.cluster.settings;
    const giveUpAt = clock.now() + ADMIN_TIMEOUT_MS;
    const backoff = kafkaBackoff();
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!isPassing(error) || clock.now() > giveUpAt || this.#stop.signal.aborted) throw asKafkaError(error, doing);
        await pause(clock, backoff.next(), this.#stop.signal);
      }
    }
  }
}
