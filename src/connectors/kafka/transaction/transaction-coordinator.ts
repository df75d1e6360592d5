/**
 * The requests of one transactional producer to the broker that looks after its transactional id. One attempt each: the producer
 * retries. Brokers answer the requests of one connection in order, so `begin` may send two at once that must not overlap.
 */
import type { Broker } from '@platformatic/kafka';
import type { TopicPartition } from '../../../runtime/ports/log.js';
import { apis } from '../client/apis.js';
import type { Cluster } from '../client/cluster.js';
import { hasId, isPassing } from '../client/errors.js';
import { type ApiFamily, Link } from '../client/link.js';
import type { ProducerIdentity, TransactionIdentity } from '../client/producer-identity.js';

const ABORTED = ['PrepareAbort', 'CompleteAbort'];
const NO_PRODUCER = { producerId: -1n, epoch: -1 };

export class TransactionCoordinator {
  readonly #link: Link;
  #node: Broker | null = null;

  constructor(
    private readonly cluster: Cluster,
    readonly transactionalId: string,
  ) {
    this.#link = new Link(cluster.settings);
  }

  /**
   * Gives a new epoch, after which nothing sent under an earlier one counts. While an end is being carried out the answer is
   * CONCURRENT_TRANSACTIONS.
   *
   * @param own what this producer had before: refused with PRODUCER_FENCED when there has been a later epoch. `null`: takes over from
   *   whoever has the id, and aborts what is open.
   */
  async init(own: ProducerIdentity | null): Promise<TransactionIdentity> {
    const { producerId, epoch } = own ?? NO_PRODUCER;
    const { transactionTimeoutMs } = this.cluster.settings;
    const id = this.transactionalId;
    const given = await this.#ask(apis.initProducerId, id, transactionTimeoutMs, producerId, epoch);
    return { transactionalId: id, producerId: given.producerId, epoch: given.producerEpoch };
  }

  async addPartitions({ producerId, epoch }: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<void> {
    const topics = new Map<string, number[]>();
    for (const { topic, partition } of partitions) {
      const list = topics.get(topic);
      if (list === undefined) topics.set(topic, [partition]);
      else list.push(partition);
    }
    const added = {
      transactionalId: this.transactionalId,
      producerId,
      producerEpoch: epoch,
      verifyOnly: false,
      topics: [...topics].map(([name, list]) => ({ name, partitions: list })),
    };
    await this.#ask(apis.addPartitionsToTxn, [added]);
  }

  async addOffsets({ producerId, epoch }: ProducerIdentity, groupId: string): Promise<void> {
    await this.#ask(apis.addOffsetsToTxn, this.transactionalId, producerId, epoch, groupId);
  }

  /**
   * Resolves when it is decided; the partitions may be told a moment later. Asked again, the answer is CONCURRENT_TRANSACTIONS until
   * all have been told, then success.
   */
  async commit({ producerId, epoch }: ProducerIdentity): Promise<void> {
    const COMMIT = true;
    await this.#ask(apis.endTxn, this.transactionalId, producerId, epoch, COMMIT);
  }

  async abort({ producerId, epoch }: ProducerIdentity): Promise<void> {
    const COMMIT = false;
    await this.#ask(apis.endTxn, this.transactionalId, producerId, epoch, COMMIT);
  }

  /**
   * The epoch that the broker made when it ended this producer's transaction by itself, because it took too long; `null` when someone
   * else has the id. (A producer that takes over leaves the state `Empty` and, when it had to abort, an epoch two higher.)
   */
  async epochOfTimeout({ producerId, epoch }: ProducerIdentity): Promise<ProducerIdentity | null> {
    const { transactionStates } = await this.#ask(apis.describeTransactions, [this.transactionalId]);
    const [state] = transactionStates;
    const aborted = state !== undefined && ABORTED.includes(state.transactionState);
    const next = epoch + 1;
    return aborted && state.producerId === producerId && state.producerEpoch === next
      ? { producerId, epoch: next }
      : null;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Finds the coordinator when it is not known; forgets it when it turns out to be another or is away. */
  async #ask<A extends unknown[], R>(family: ApiFamily<A, R>, ...args: A): Promise<R> {
    this.#node ??= await this.cluster.coordinator('transaction', this.transactionalId);
    const node = this.#node;
    try {
      return await this.#link.call(node, family, ...args);
    } catch (error) {
      if (isPassing(error) && !hasId(error, 'CONCURRENT_TRANSACTIONS') && this.#node === node) this.#node = null;
      throw error;
    }
  }
}
