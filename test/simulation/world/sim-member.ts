import type { MemoryLog } from '../../../src/runtime/memory/memory-log.js';
import {
  type AssignedPartition,
  FencedError,
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type OffsetCommit,
  type OutgoingRecord,
  partitionName,
  type RecordBatch,
  type TopicPartition,
} from '../../../src/runtime/ports/log.js';
import type { SimProcess } from './sim-process.js';

/** Looks at what was committed. */
export type InspectCommit = (records: readonly OutgoingRecord[], offsets: readonly OffsetCommit[]) => void;

const REJOIN_MS_MAX = 200;
const NOTICE_MS_MAX = 300;

/** Between joining and leaving, or being thrown out. */
class Session {
  /** The coordinator has given it up. The process may not know. */
  ended = false;
  /** The process knows. */
  noticed = false;
  local: GroupMember | null = null;
  /** What the process believes to own. */
  readonly held = new Map<string, TopicPartition>();
  private readonly over = Promise.withResolvers<void>();

  end(): void {
    this.ended = true;
    this.over.resolve();
  }

  /** What the group waits for; not longer than the session lasts. */
  async guard<T>(act: () => Promise<T>, otherwise: T): Promise<T> {
    if (this.ended) return otherwise;
    return Promise.race([act(), this.over.promise.then(() => otherwise)]);
  }
}

/**
 * A process in a group. The group's side can end the session while the process is dead, frozen or cut off: its partitions are
 * given to others at once, and it learns of that later, joins again, and meanwhile commits in vain.
 */
export class SimMember implements GroupMember {
  private session = new Session();
  /** The process knows that it has joined. Nothing is told before. */
  readonly joined = Promise.withResolvers<void>();
  private callbacks: Promise<void> = this.joined.promise;
  private closed = false;

  constructor(
    private readonly log: MemoryLog,
    private readonly process: SimProcess,
    private readonly options: GroupOptions,
    private readonly listener: GroupListener,
    private readonly inspect: InspectCommit,
  ) {}

  async open(): Promise<void> {
    const session = new Session();
    this.session = session;
    // It died while this was on the way, and nobody would find out.
    if (this.process.dead) return;
    session.local = await this.log.join(this.options, this.listenerOf(session));
    if (session.ended) await session.local.close();
  }

  /**
   * What a commit that is asked for now counts for: the member that the group knows, looked up when the commit gets there. It
   * never counts for a later session, though that may own the same partitions.
   */
  holding(offsets: readonly OffsetCommit[]): () => GroupMember {
    const { session } = this;
    return () => {
      if (session.ended || session.local === null)
        throw new FencedError(`the session that owned ${offsets.map(partitionName)} has ended`);
      return session.local;
    };
  }

  commit(offsets: readonly OffsetCommit[]): Promise<void> {
    const holder = this.holding(offsets);
    const act = async () => {
      await holder().commit(offsets);
      this.inspect([], offsets);
    };
    return this.process.request({
      effect: 'commit',
      act,
      refusal: () => new Error('the broker did not answer in time'),
      loss: async () => {
        await act();
        return new Error('the broker did not answer in time');
      },
    });
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.session.local?.pause(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.session.local?.resume(partitions);
  }

  assignment(): readonly TopicPartition[] {
    return [...this.session.held.values()];
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.process.awake();
    const { session } = this;
    if (!session.ended) await session.local?.close();
    await this.callbacks;
    await this.process.awake();
  }

  /** The coordinator has not heard of the process for too long. */
  expire(): void {
    const { session, process } = this;
    if (session.ended) return;
    process.trace('its session ends');
    session.end();
    void session.local?.close();
    const { clock, chance } = process.around;
    clock.schedule(chance.between(0, NOTICE_MS_MAX), () => process.receive(() => void this.lost(session)));
  }

  tell(trouble: Error | null): void {
    this.process.receive(() => (trouble === null ? this.listener.onRecovered() : this.listener.onTrouble(trouble)));
  }

  private async lost(session: Session): Promise<void> {
    await this.process.around.reachable(this.process);
    await this.process.awake();
    session.noticed = true;
    await this.inTurn(async () => {
      const held = [...session.held.values()];
      session.held.clear();
      this.process.trace(`lost ${held.map(partitionName).join(' ')}`);
      if (held.length > 0) await this.listener.onLost(held);
    });
    if (this.closed) return;
    const { clock, chance } = this.process.around;
    await clock.pause(chance.between(0, REJOIN_MS_MAX));
    await this.process.awake();
    if (!this.closed) await this.open();
  }

  private listenerOf(session: Session): GroupListener {
    const { listener } = this;
    return {
      onAssigned: (partitions) => session.guard(() => this.assigned(session, partitions), undefined),
      onRevoked: (partitions) => session.guard(() => this.revoked(session, partitions), undefined),
      onLost: async () => undefined,
      onBatch: (batch) => session.guard(() => this.batch(session, batch), undefined),
      onTrouble: () => undefined,
      onRecovered: () => undefined,
      onFatal: (error) => this.process.receive(() => listener.onFatal(error)),
    };
  }

  private assigned(
    session: Session,
    partitions: readonly AssignedPartition[],
  ): Promise<ReadonlyMap<string, number> | undefined> {
    return this.inTurn(async () => {
      if (session.ended) return undefined;
      this.process.trace(`got ${partitions.map((p) => `${partitionName(p)} at ${p.committed}`).join(' ')}`);
      for (const p of partitions) session.held.set(partitionName(p), { topic: p.topic, partition: p.partition });
      return this.listener.onAssigned(partitions);
    });
  }

  private revoked(session: Session, partitions: readonly TopicPartition[]): Promise<void> {
    return this.inTurn(async () => {
      // What was lost is told of in another way.
      if (session.ended) return;
      this.process.trace(`gives up ${partitions.map(partitionName).join(' ')}`);
      for (const name of partitions.map(partitionName)) session.held.delete(name);
      await this.listener.onRevoked(partitions);
    });
  }

  private async batch(session: Session, batch: RecordBatch): Promise<void> {
    const name = partitionName(batch);
    const held = session.held.get(name);
    await this.process.around.reachable(this.process);
    await this.process.awake();
    // It was fetched already: a process that does not know better works on it. If it has given the partition up, it does not, even
    // if it has it again.
    if (session.noticed || held === undefined || session.held.get(name) !== held) return;
    await this.listener.onBatch(batch);
    await this.process.awake();
  }

  /** The process is told one thing after the other, and dies in the middle of it. */
  private inTurn<T>(callback: () => Promise<T>): Promise<T> {
    const done = this.callbacks.then(async () => {
      await this.process.awake();
      const value = await callback();
      await this.process.awake();
      return value;
    });
    this.callbacks = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}
