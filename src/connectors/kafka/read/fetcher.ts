/**
 * Keeps the partitions of a group member read and their batches handed over.
 *
 *     add ──▶ wanted ──fetch──▶ buffered ──deliver──▶ wanted …        remove: from any state, at once
 *
 * 1. A partition is in at most one request at a time, and its batches are delivered one after the other in order of offset.
 * 2. Reading ahead is bounded: a partition with two responses not yet taken is not asked for again.
 * 3. Two requests a broker may wait at the same time, so a partition that becomes free again while the others wait for
 *    records is asked for at once. But where few records came, all partitions of that request rest for some milliseconds: of a trickle each
 *    record would cost a request, which takes broker and client longer than the record.
 * 4. After `remove` resolved nothing of those partitions is delivered any more, and nothing is being delivered.
 * 5. A broker that fails loses its partitions; they are asked for again where metadata then says they are led.
 */

import { pause } from '../../../runtime/backoff.js';
import type { GroupListener, RecordBatch, TopicPartition } from '../../../runtime/ports/log.js';
import { partitionName } from '../../../runtime/ports/log.js';
import type { Cluster } from '../client/cluster.js';
import { asKafkaError, isPassing, KafkaError } from '../client/errors.js';
import { Link } from '../client/link.js';
import { kafkaBackoff } from '../client/timing.js';
import { Cursor } from './cursor.js';
import { type Fetched, fetchFrom } from './fetch.js';
import { BEGIN, END, listOffsets } from './offsets.js';

const AHEAD_MAX = 2;
/** How long partitions rest of which so few records came. Records wait no longer than that. */
const REST_MS = 3;
const FEW_RECORDS = 50;
const SLOTS = [0, 1] as const;

interface Flow {
  readonly cursor: Cursor;
  readonly name: string;
  readonly ready: RecordBatch[];
  paused: boolean;
  /** In a request now. */
  asked: boolean;
  /** It is not asked for until the rest is over (3). */
  resting: boolean;
  /** Its leader did not answer or does not lead it any more. */
  lost: boolean;
  removed: boolean;
  /** The listener was called and has not returned: it may call `resume` itself. */
  calling: boolean;
  /** The listener answered with a promise that is not settled. */
  delivering: Promise<void> | null;
}

export interface FetcherEvents {
  deliver: GroupListener['onBatch'];
  trouble(error: Error): void;
  fine(): void;
  fatal(error: Error): void;
}

export class Fetcher {
  readonly #flows = new Map<string, Flow>();
  readonly #links: readonly Link[];
  readonly #busy = new Set<string>();
  readonly #stop = new AbortController();
  readonly #backoff = kafkaBackoff();
  readonly #work = new Set<Promise<void>>();
  #finding = false;
  #cancelRest: (() => void) | null = null;

  constructor(
    private readonly cluster: Cluster,
    private readonly events: FetcherEvents,
  ) {
    this.#links = SLOTS.map(() => new Link(cluster.settings, cluster.settings.fetchMaxWaitMs));
  }

  add(partition: TopicPartition, position: number): void {
    const name = partitionName(partition);
    const lost = this.cluster.leader(partition.topic, partition.partition) === undefined;
    const cursor = new Cursor(partition, position);
    const idle = { paused: false, asked: false, resting: false, removed: false, calling: false, delivering: null };
    const flow: Flow = { cursor, name, ready: [], lost, ...idle };
    this.#flows.set(name, flow);
    if (lost) this.#findLeaders();
    this.#pump();
  }

  /** Forgets the partitions; resolves when what was being delivered of them is done (invariant 4). */
  async remove(partitions: readonly TopicPartition[]): Promise<void> {
    const flows = partitions.flatMap((p) => this.#flows.get(partitionName(p)) ?? []);
    for (const flow of flows) {
      flow.removed = true;
      this.#flows.delete(flow.name);
    }
    await Promise.all(flows.map((flow) => flow.delivering));
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#with(p, (flow) => (flow.paused = true));
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) {
      this.#with(p, (flow) => {
        flow.paused = false;
        this.#deliver(flow);
      });
    }
    this.#pump();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancelRest?.();
    await this.remove([...this.#flows.values()].map(({ cursor }) => cursor.of));
    await Promise.all(this.#links.map((link) => link.close()));
    await Promise.all(this.#work);
  }

  #with(partition: TopicPartition, then: (flow: Flow) => void): void {
    const flow = this.#flows.get(partitionName(partition));
    if (flow !== undefined) then(flow);
  }

  /** Starts a request wherever a slot is free and partitions are wanted. */
  #pump(): void {
    if (this.#stop.signal.aborted) return;
    const byNode = new Map<number, Flow[]>();
    for (const flow of this.#flows.values()) {
      if (flow.asked || flow.resting || flow.paused || flow.lost || flow.ready.length >= AHEAD_MAX) continue;
      const node = this.cluster.leader(flow.cursor.of.topic, flow.cursor.of.partition);
      if (node === undefined) this.#lose([flow]);
      else byNode.set(node, [...(byNode.get(node) ?? []), flow]);
    }
    for (const [node, flows] of byNode) {
      const slot = SLOTS.find((s) => !this.#busy.has(`${node}/${s}`));
      if (slot !== undefined) this.#track(this.#request(node, slot, flows));
    }
  }

  async #request(node: number, slot: number, flows: readonly Flow[]): Promise<void> {
    const key = `${node}/${slot}`;
    const link = this.#links[slot];
    if (link === undefined) throw new TypeError('no such slot');
    this.#busy.add(key);
    for (const flow of flows) flow.asked = true;
    try {
      const { cluster } = this;
      const answers = await fetchFrom(cluster, link, cluster.broker(node), flows, cluster.settings.fetchMaxWaitMs);
      this.#take(answers, flows);
    } catch (error) {
      this.#failed(error, flows);
    } finally {
      this.#busy.delete(key);
      for (const flow of flows) flow.asked = false;
    }
    this.#pump();
  }

  #take(answers: readonly Fetched<Flow>[], flows: readonly Flow[]): void {
    const lost = new Set(flows);
    let records = 0;
    for (const { wanted: flow, error, response } of answers) {
      if (error === 'OFFSET_OUT_OF_RANGE') this.#track(this.#reposition(flow));
      else if (error?.endsWith('AUTHORIZATION_FAILED')) this.#refused(flow, error);
      else if (error !== null) continue;
      lost.delete(flow);
      if (flow.removed || error !== null) continue;
      const batch = flow.cursor.accept(response);
      if (batch === undefined) continue;
      records += batch.records.length;
      flow.ready.push(batch);
      this.#deliver(flow);
    }
    if (records > 0 && records < FEW_RECORDS) this.#rest(flows);
    if (lost.size > 0) this.#lose([...lost]);
    else this.#recovered();
  }

  /** All that rest begin again together, in one request. */
  #rest(flows: readonly Flow[]): void {
    for (const flow of flows) flow.resting = true;
    this.#cancelRest ??= this.cluster.settings.clock.schedule(REST_MS, () => {
      this.#cancelRest = null;
      for (const flow of this.#flows.values()) flow.resting = false;
      this.#pump();
    });
  }

  #recovered(): void {
    for (const flow of this.#flows.values()) if (flow.lost) return;
    this.#backoff.reset();
    this.events.fine();
  }

  #refused(flow: Flow, error: string): void {
    const { topic } = flow.cursor.of;
    this.events.fatal(new KafkaError('KAFKA_NOT_AUTHORIZED', `reading topic ${topic}: ${error}`));
  }

  #failed(error: unknown, flows: readonly Flow[]): void {
    if (this.#stop.signal.aborted) return;
    const shown = asKafkaError(error, 'fetching');
    if (!isPassing(error)) {
      this.events.fatal(shown);
      return;
    }
    this.events.trouble(shown);
    this.#lose(flows);
  }

  #lose(flows: readonly Flow[]): void {
    for (const flow of flows) flow.lost = true;
    this.#findLeaders();
  }

  /** One at a time: asks for metadata until all partitions have a leader again (invariant 5). */
  #findLeaders(): void {
    if (this.#finding) return;
    this.#finding = true;
    this.#track(
      this.#searchLeaders().finally(() => {
        this.#finding = false;
        const more = [...this.#flows.values()].some((flow) => flow.lost);
        if (more && !this.#stop.signal.aborted) this.#findLeaders();
      }),
    );
  }

  async #searchLeaders(): Promise<void> {
    const { clock } = this.cluster.settings;
    await pause(clock, this.#backoff.next(), this.#stop.signal);
    const lost = () => [...this.#flows.values()].filter((flow) => flow.lost);
    if (this.#stop.signal.aborted || lost().length === 0) return;
    try {
      await this.cluster.refresh([...new Set(lost().map((flow) => flow.cursor.of.topic))]);
    } catch (error) {
      this.#failed(error, []);
      return;
    }
    for (const flow of lost()) {
      const { topic, partition } = flow.cursor.of;
      flow.lost = this.cluster.leader(topic, partition) === undefined;
    }
    // A leader election takes a moment; what lasts longer is worth telling.
    const leaderless = lost()[0];
    if (leaderless !== undefined && this.#backoff.failures > 5) {
      this.events.trouble(new KafkaError('KAFKA_UNAVAILABLE', `partition ${leaderless.name} has no leader`));
    }
    this.#pump();
  }

  /** The position is outside the partition: retention took records away, or an unclean election lost some. */
  async #reposition(flow: Flow): Promise<void> {
    const { of, position } = flow.cursor;
    flow.lost = true;
    const begin = await listOffsets(this.cluster, [of], BEGIN).catch(() => null);
    const end = await listOffsets(this.cluster, [of], END).catch(() => null);
    const from = begin?.get(flow.name);
    const to = end?.get(flow.name);
    if (from !== undefined && to !== undefined && !flow.removed) {
      const next = position < from ? from : Math.min(position, to);
      if (next !== position) {
        const message = `${flow.name}: offset ${position} is no longer there, reading goes on at ${next}`;
        this.events.trouble(new KafkaError('KAFKA_RECORDS_GONE', message));
        flow.cursor.moveTo(next);
      }
    }
    this.#findLeaders();
  }

  #deliver(flow: Flow): void {
    while (flow.delivering === null && !flow.calling && !flow.removed && !flow.paused) {
      const batch = flow.ready.shift();
      if (batch === undefined) return;
      const taken = this.#call(flow, batch);
      if (taken === undefined) continue;
      flow.delivering = taken.then(
        () => this.#delivered(flow),
        (error: unknown) => {
          flow.delivering = null;
          flow.removed = true;
          this.#listenerFailed(error);
        },
      );
    }
  }

  #call(flow: Flow, batch: RecordBatch): Promise<void> | void {
    flow.calling = true;
    try {
      return this.events.deliver(batch);
    } catch (error) {
      flow.removed = true;
      this.#listenerFailed(error);
    } finally {
      flow.calling = false;
    }
  }

  #delivered(flow: Flow): void {
    flow.delivering = null;
    this.#deliver(flow);
    if (!flow.removed) this.#pump();
  }

  #listenerFailed(error: unknown): void {
    this.events.fatal(new KafkaError('KAFKA_LISTENER_FAILED', 'the listener failed on a batch', { cause: error }));
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.events.fatal(asKafkaError(error, 'reading')))
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}
