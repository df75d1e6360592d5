/**
 * The requests of one group member to its coordinator. One attempt each: the member retries.
 *
 * 1. A member id and a generation are given by the coordinator alone, and every commit carries both: a coordinator that gave the
 *    partitions to someone else refuses it.
 * 2. Joining waits at the broker, so it has a link of its own: heartbeats and commits never wait behind it.
 */
import type { Broker } from '@platformatic/kafka';
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  type joinGroupV9,
  MultipleErrors,
} from '@platformatic/kafka';
import type { OffsetCommit, TopicPartition } from '../../../runtime/ports/log.js';
import { apis } from '../client/apis.js';
import type { Cluster } from '../client/cluster.js';
import { hasId, isPassing } from '../client/errors.js';
import { type ApiFamily, Link } from '../client/link.js';
import type { TransactionIdentity } from '../client/producer-identity.js';
import { assign, type MemberClaim } from './assignor.js';
import { encodeMemberData, encodeOwners, endpointIn, type MemberData, ownersIn } from './member-data.js';

const PROTOCOL_TYPE = 'consumer';
/** The standard name and format, though the plan is our own: all members of a group run this code. */
const PROTOCOL = 'cooperative-sticky';
const SUBSCRIPTION_VERSION = 3;
const ASSIGNMENT_VERSION = 3;
const UNKNOWN_EPOCH = -1;

export class Coordinator {
  #memberId = '';
  #generation = -1;
  #node: Broker | null = null;
  #owners: ReadonlyMap<string, string> = new Map();
  readonly #link: Link;
  readonly #joinLink: Link;

  constructor(
    private readonly cluster: Cluster,
    readonly groupId: string,
  ) {
    const { settings } = cluster;
    this.#link = new Link(settings);
    this.#joinLink = new Link(settings, settings.rebalanceTimeoutMs + settings.sessionTimeoutMs);
  }

  get generation(): number {
    return this.#generation;
  }

  /** By name of a partition, where its owner can be asked, since this member joined last. */
  get owners(): ReadonlyMap<string, string> {
    return this.#owners;
  }

  /** The group has forgotten this member: it must come as a new one. */
  forget(): void {
    this.#memberId = '';
    this.#generation = -1;
  }

  /**
   * Joins, or joins again; plans for all when it is this member's turn. Resolves with what this member may read.
   * `data`: its fingerprint changes when topics or their partitions do, which makes the coordinator rebalance.
   */
  async join(topics: readonly string[], owned: readonly TopicPartition[], data: MemberData): Promise<TopicPartition[]> {
    const metadata = encodeConsumerProtocolSubscription({
      version: SUBSCRIPTION_VERSION,
      topics: [...topics],
      userData: encodeMemberData(data),
      ownedPartitions: grouped(owned),
      generationId: this.#generation,
    });
    const joined = await this.#join(metadata).catch((error: unknown) => {
      const memberId = assignedId(error);
      if (memberId === undefined) throw error;
      this.#memberId = memberId;
      return this.#join(metadata);
    });
    this.#memberId = joined.memberId;
    const plan = joined.leader === joined.memberId ? await this.#plan(joined) : [];
    const synced = await this.#ask(
      this.#joinLink,
      apis.syncGroup,
      this.groupId,
      joined.generationId,
      joined.memberId,
      null,
      PROTOCOL_TYPE,
      joined.protocolName,
      plan,
    );
    // Only now: until the plan is there, the old generation is what partitions are held by.
    this.#generation = joined.generationId;
    this.#owners = new Map();
    if (synced.assignment.length === 0) return [];
    const { assignedPartitions, userData } = decodeConsumerProtocolAssignment(synced.assignment);
    this.#owners = ownersIn(userData);
    return flat(assignedPartitions);
  }

  async heartbeat(): Promise<void> {
    await this.#ask(this.#link, apis.heartbeat, this.groupId, this.#generation, this.#memberId, null);
  }

  async commit(offsets: readonly OffsetCommit[]): Promise<void> {
    const wire = wireOffsets(offsets);
    await this.#ask(this.#link, apis.offsetCommit, this.groupId, this.#generation, this.#memberId, null, wire);
  }

  /** Puts offsets into an open transaction, with the member's id and generation: they count when, and only if, it is committed. */
  async commitIn(transaction: TransactionIdentity, offsets: readonly OffsetCommit[]): Promise<void> {
    const { transactionalId, producerId, epoch } = transaction;
    await this.#ask(
      this.#link,
      apis.txnOffsetCommit,
      transactionalId,
      this.groupId,
      producerId,
      epoch,
      this.#generation,
      this.#memberId,
      null,
      wireOffsets(offsets),
    );
  }

  /** Committed offsets; partitions without one are absent. Waits (by failing) for transactions that are about to commit some. */
  async committed(partitions: readonly TopicPartition[] | null): Promise<Map<string, number>> {
    const topics = grouped(partitions ?? []).map((t) => ({ name: t.topic, partitionIndexes: t.partitions }));
    const wanted = { groupId: this.groupId, memberEpoch: -1, topics: partitions === null ? null : topics };
    const { groups } = await this.#ask(this.#link, apis.offsetFetch, [wanted], partitions !== null);
    const found = new Map<string, number>();
    for (const { name, partitions: list } of groups[0]?.topics ?? []) {
      for (const p of list) {
        if (p.committedOffset >= 0n) found.set(`${name}-${p.partitionIndex}`, Number(p.committedOffset));
      }
    }
    return found;
  }

  /** Gives up the membership, if there is one. A coordinator that does not answer finds out by the session's end. */
  async leave(): Promise<void> {
    if (this.#memberId === '') return;
    const member = { memberId: this.#memberId, groupInstanceId: null, reason: 'closing' };
    // Leaving is a courtesy: the session's end does the same.
    await this.#ask(this.#link, apis.leaveGroup, this.groupId, [member]).catch(() => {});
    this.forget();
  }

  /** Ends a join that waits at the broker. */
  async abandonJoin(): Promise<void> {
    await this.#joinLink.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.#link.close(), this.#joinLink.close()]);
  }

  #join(metadata: Buffer): Promise<joinGroupV9.JoinGroupResponse> {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.cluster.settings;
    return this.#ask(
      this.#joinLink,
      apis.joinGroup,
      this.groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      this.#memberId,
      null,
      PROTOCOL_TYPE,
      [{ name: PROTOCOL, metadata }],
      null,
    );
  }

  async #plan(joined: joinGroupV9.JoinGroupResponse): Promise<{ memberId: string; assignment: Buffer }[]> {
    const endpoints = new Map<string, string | null>();
    const claims = joined.members.map(({ memberId, metadata }): MemberClaim => {
      const { topics, ownedPartitions, generationId, userData } = decodeConsumerProtocolSubscription(metadata);
      endpoints.set(memberId, endpointIn(userData));
      return { memberId, topics, owned: flat(ownedPartitions), generation: generationId };
    });
    const topics = [...new Set(claims.flatMap((c) => c.topics))];
    await this.cluster.refresh(topics);
    const counts = new Map(topics.map((t) => [t, this.cluster.topic(t)?.leaders.length ?? 0]));
    const shares = assign(claims, counts);
    const userData = encodeOwners(shares, endpoints);
    return [...shares].map(([memberId, share]) => ({
      memberId,
      assignment: encodeConsumerProtocolAssignment({
        version: ASSIGNMENT_VERSION,
        assignedPartitions: grouped(share),
        ...(userData === null ? {} : { userData }),
      }),
    }));
  }

  /** Finds the coordinator when it is not known; forgets it when it turns out to be another or is away. */
  async #ask<A extends unknown[], R>(link: Link, family: ApiFamily<A, R>, ...args: A): Promise<R> {
    this.#node ??= await this.cluster.coordinator('group', this.groupId);
    const node = this.#node;
    try {
      return await link.call(node, family, ...args);
    } catch (error) {
      const stays = hasId(error, 'REBALANCE_IN_PROGRESS', 'MEMBER_ID_REQUIRED', 'UNSTABLE_OFFSET_COMMIT');
      if (isPassing(error) && !stays && this.#node === node) this.#node = null;
      throw error;
    }
  }
}

function wireOffsets(offsets: readonly OffsetCommit[]) {
  const topics = new Map<string, OffsetCommit[]>();
  for (const o of offsets) {
    const list = topics.get(o.topic);
    if (list === undefined) topics.set(o.topic, [o]);
    else list.push(o);
  }
  return [...topics].map(([name, list]) => ({
    name,
    partitions: list.map((o) => ({
      partitionIndex: o.partition,
      committedOffset: BigInt(o.offset),
      committedLeaderEpoch: UNKNOWN_EPOCH,
      committedMetadata: o.metadata ?? null,
    })),
  }));
}

/** A new member's first join is refused with the id under which it shall come again. */
function assignedId(error: unknown): string | undefined {
  if (!hasId(error, 'MEMBER_ID_REQUIRED') || !(error instanceof MultipleErrors)) return undefined;
  return (error as { response?: joinGroupV9.JoinGroupResponse }).response?.memberId;
}

function grouped(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return [...byTopic].map(([topic, list]) => ({ topic, partitions: list }));
}

function flat(topics: readonly { topic: string; partitions: readonly number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
