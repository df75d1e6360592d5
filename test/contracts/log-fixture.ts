import type {
  GroupMember,
  GroupOptions,
  Log,
  LogProducer,
  LogRecord,
  OutgoingRecord,
  TopicPartition,
} from '../../src/runtime/ports/log.js';
import { type ListenerHooks, RecordingListener } from '../harness/recording-listener.js';
import { until } from '../harness/until.js';

/** One log under test, with what the contract needs besides the port. */
export interface LogFixture {
  log: Log;
  /** A new, empty topic under a name never used before: letters, digits and hyphens. */
  newTopic(partitions: number): Promise<string>;
  /** Closes the log and opens it again over the same data. Absent where nothing outlives the log. */
  reopen?(): Promise<Log>;
  dispose(): Promise<void>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytes = (text: string): Uint8Array => encoder.encode(text);
export const text = (value: Uint8Array | null): string | null => (value === null ? null : decoder.decode(value));

export function outgoing(topic: string, partition: number, value: string, timestamp?: number): OutgoingRecord {
  return { topic, partition, key: null, value: bytes(value), timestamp };
}

/** `prefix0`, `prefix1` … as records of one partition. */
export function series(topic: string, partition: number, prefix: string, count: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => outgoing(topic, partition, `${prefix}${i}`));
}

export const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** All members and producers made through it are closed at the end of a test, whether it passed or not. */
export class LogDriver {
  private readonly members = new Set<GroupMember>();
  private producer: LogProducer | undefined;

  constructor(
    readonly fixture: LogFixture,
    private log: Log = fixture.log,
  ) {}

  async send(...records: OutgoingRecord[]): Promise<void> {
    this.producer ??= await this.log.producer();
    await this.producer.send(records);
  }

  async join(
    options: Partial<GroupOptions> & Pick<GroupOptions, 'groupId' | 'topics'>,
    hooks?: ListenerHooks,
    shared?: { name: string; journal: string[] },
  ): Promise<{ member: GroupMember; listener: RecordingListener }> {
    const listener = new RecordingListener(hooks, shared);
    const member = await this.log.join({ start: { at: 'earliest' }, discoveryIntervalMs: 250, ...options }, listener);
    this.members.add(member);
    return { member, listener };
  }

  /** Joins and waits until the member holds as many partitions as said. */
  async joinAndHold(
    options: Parameters<LogDriver['join']>[0],
    partitions: number,
    hooks?: ListenerHooks,
  ): ReturnType<LogDriver['join']> {
    const joined = await this.join(options, hooks);
    await until(() => joined.listener.held.size === partitions, `${partitions} partitions assigned`);
    return joined;
  }

  async readAll(topic: string, partition = 0, from = 0): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for await (const batch of this.log.read({ topic, partition }, from)) {
      records.push(...batch.records);
    }
    return records;
  }

  async readTexts(p: TopicPartition, from = 0, to?: number): Promise<(string | null)[]> {
    const values: (string | null)[] = [];
    for await (const batch of this.log.read(p, from, { to })) {
      values.push(...batch.records.map((r) => text(r.value)));
    }
    return values;
  }

  async reopen(): Promise<Log> {
    await this.close();
    if (this.fixture.reopen === undefined) {
      throw new Error('this fixture cannot reopen its log');
    }
    this.log = await this.fixture.reopen();
    return this.log;
  }

  async closeMember(member: GroupMember): Promise<void> {
    this.members.delete(member);
    await member.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.members].map((m) => m.close()));
    this.members.clear();
    await this.producer?.close();
    this.producer = undefined;
  }
}
