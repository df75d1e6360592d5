import type { MemoryLog } from '../../../src/runtime/memory/memory-log.js';
import {
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type Log,
  type LogProducer,
  type OffsetCommit,
  type OutgoingRecord,
  type ReadOptions,
  type RecordBatch,
  type TopicPartition,
  type TopicSpec,
  TransactionAbortedError,
  type TransactionalProducer,
} from '../../../src/runtime/ports/log.js';
import { type InspectCommit, SimMember } from './sim-member.js';
import { never, type SimProcess } from './sim-process.js';

/** The log as one process sees it, over a network. */
export class SimLog implements Log {
  readonly members: SimMember[] = [];

  constructor(
    private readonly log: MemoryLog,
    private readonly process: SimProcess,
    private readonly inspect: InspectCommit,
  ) {}

  topics() {
    return this.ask(() => this.log.topics());
  }

  createTopic(spec: TopicSpec) {
    return this.ask(() => this.log.createTopic(spec));
  }

  offsets(partition: TopicPartition) {
    return this.ask(() => this.log.offsets(partition));
  }

  offsetAt(partition: TopicPartition, timestamp: number) {
    return this.ask(() => this.log.offsetAt(partition, timestamp));
  }

  committed(groupId: string) {
    return this.ask(() => this.log.committed(groupId));
  }

  async *read(partition: TopicPartition, from: number, options?: ReadOptions): AsyncIterable<RecordBatch> {
    for await (const batch of this.log.read(partition, from, options)) yield await this.ask(async () => batch);
  }

  async join(options: GroupOptions, listener: GroupListener): Promise<GroupMember> {
    const member = new SimMember(this.log, this.process, options, listener, this.inspect);
    await this.ask(() => {
      this.members.push(member);
      return member.open();
    });
    member.joined.resolve();
    return member;
  }

  async producer(): Promise<LogProducer> {
    const producer = await this.ask(() => this.log.producer());
    return new SimProducer(producer, this.process);
  }

  async transactionalProducer(id?: string): Promise<TransactionalProducer> {
    // A request of a dead process that comes late would take the name from the next one's: the broker has closed its connection.
    const open = () => (this.process.dead ? never<TransactionalProducer>() : this.log.transactionalProducer(id));
    const producer = await this.ask(open);
    return new SimTransactions(producer, this.process, this.inspect);
  }

  async close(): Promise<void> {}

  private ask<T>(act: () => Promise<T>): Promise<T> {
    return this.process.request({ effect: 'read', act });
  }
}

class SimProducer implements LogProducer {
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly producer: LogProducer,
    private readonly process: SimProcess,
  ) {}

  /** Records of one partition keep their order, so one send waits for the other. */
  send(records: readonly OutgoingRecord[]): Promise<void> {
    const before = this.last;
    const done = Promise.withResolvers<void>();
    this.last = done.promise;
    const append = async (appended: readonly OutgoingRecord[]): Promise<void> => {
      await before;
      if (appended.length > 0) await this.producer.send(appended);
      done.resolve();
    };
    return this.process.request({
      effect: 'send',
      act: () => append(records),
      loss: async () => {
        this.process.fatalFaults++;
        await append(records.slice(0, this.process.around.chance.between(0, records.length)));
        return new Error('the broker did not answer in time, and not again either');
      },
    });
  }

  async close(): Promise<void> {}
}

class SimTransactions implements TransactionalProducer {
  constructor(
    private readonly producer: TransactionalProducer,
    private readonly process: SimProcess,
    private readonly inspect: InspectCommit,
  ) {}

  commit(member: GroupMember, records: readonly OutgoingRecord[], offsets: readonly OffsetCommit[]): Promise<void> {
    const holder = (member as SimMember).holding(offsets);
    return this.process.request({
      effect: 'transaction',
      act: async () => {
        await this.producer.commit(holder(), records, offsets);
        this.inspect(records, offsets);
      },
      refusal: () => new TransactionAbortedError('the broker has ended the transaction'),
    });
  }

  async close(): Promise<void> {}
}
