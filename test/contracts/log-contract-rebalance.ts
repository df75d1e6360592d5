import { randomUUID } from 'node:crypto';
import { FencedError, type GroupMember, type TopicPartition } from '../../src/runtime/ports/log.js';
import { Gate, type RecordingListener } from '../harness/recording-listener.js';
import { until } from '../harness/until.js';
import { LogDriver, type LogFixture, names, outgoing } from './log-fixture.js';

const PARTITIONS = 4;

/** Several members of one group: who has which partition when, and whose commits count. */
export function describeRebalanceContract(make: () => Promise<LogFixture>): void {
  let fixture: LogFixture;
  let driver: LogDriver;
  let groupId: string;
  let topic: string;

  beforeEach(async () => {
    fixture = await make();
    driver = new LogDriver(fixture);
    groupId = `group-${randomUUID()}`;
    topic = await fixture.newTopic(PARTITIONS);
  });

  afterEach(async () => {
    await driver.close();
    await fixture.dispose();
  });

  /** One record a partition and name. */
  const sendToAll = (prefix: string, rounds: number) =>
    driver.send(
      ...names(prefix, rounds).flatMap((name) =>
        Array.from({ length: PARTITIONS }, (_, p) => outgoing(topic, p, `${name}/${p}`)),
      ),
    );

  const expected = (prefix: string, rounds: number): string[] =>
    names(prefix, rounds).flatMap((name) => Array.from({ length: PARTITIONS }, (_, p) => `${name}/${p}`));

  /** Joins a member that commits, when partitions are taken from it, how far it has come in them. */
  const joinCommitting = async (name: string, journal: string[] = []) => {
    const joined: { member?: GroupMember; listener?: RecordingListener } = {};
    const { member, listener } = await driver.join(
      { groupId, topics: { names: [topic] } },
      {
        onRevoked: async (partitions) => {
          await joined.member?.commit(positionsOf(joined.listener, partitions));
        },
      },
      { name, journal },
    );
    Object.assign(joined, { member, listener });
    return { member, listener };
  };

  const balanced = (a: RecordingListener, b: RecordingListener) =>
    until(
      () => a.held.size === 2 && b.held.size === 2 && disjoint(a.held, b.held),
      () => `both members to hold two partitions each (they hold ${a.held.size} and ${b.held.size})`,
    );

  it('gives every record to exactly one of two members, across the rebalance', async () => {
    const a = await joinCommitting('a');
    await until(() => a.listener.held.size === PARTITIONS, 'the first member to hold all partitions');
    await sendToAll('early', 5);
    await until(() => a.listener.received.length === 5 * PARTITIONS, 'the first records');
    const b = await joinCommitting('b');
    await balanced(a.listener, b.listener);
    await sendToAll('late', 5);
    const total = 10 * PARTITIONS;
    await until(() => a.listener.received.length + b.listener.received.length >= total, 'all records');
    expect([...a.listener.texts(), ...b.listener.texts()].sort()).toEqual(
      [...expected('early', 5), ...expected('late', 5)].sort(),
    );
    expect(b.listener.received).toHaveLength(5 * 2);
  });

  it('gives a partition to another member only after onRevoked has resolved', async () => {
    const journal: string[] = [];
    const gate = new Gate();
    const a = await driver.join(
      { groupId, topics: { names: [topic] } },
      { onRevoked: async () => gate.passed },
      { name: 'a', journal },
    );
    await until(() => a.listener.held.size === PARTITIONS, 'the first member to hold all partitions');
    const b = await driver.join({ groupId, topics: { names: [topic] } }, {}, { name: 'b', journal });
    await until(() => journal.some((entry) => entry.startsWith('a revoking')), 'partitions to be taken from the first');
    await sendToAll('meanwhile', 1);
    expect(await driver.readTexts({ topic, partition: 0 })).toHaveLength(1);
    const revoking = new Set(entriesOf(journal, 'a revoking'));
    expect(entriesOf(journal, 'b assigned').filter((p) => revoking.has(p))).toEqual([]);
    gate.open();
    await balanced(a.listener, b.listener);
    for (const p of b.listener.held) {
      expect(journal.indexOf(`b assigned ${p}`)).toBeGreaterThan(journal.indexOf(`a revoked ${p}`));
      expect(journal).toContain(`a revoked ${p}`);
    }
  });

  it('goes on where the former owner committed in onRevoked', async () => {
    const a = await joinCommitting('a');
    await sendToAll('r', 3);
    await until(() => a.listener.received.length === 3 * PARTITIONS, 'all records');
    const b = await joinCommitting('b');
    await balanced(a.listener, b.listener);
    const { end } = await fixture.log.offsets({ topic, partition: 0 });
    const taken = b.listener.assigned.filter((p) => b.listener.held.has(`${p.topic}-${p.partition}`));
    expect(taken.map((p) => p.committed)).toEqual([end, end]);
    expect(b.listener.received).toEqual([]);
  });

  it('refuses the commit of a member whose partition belongs to another by now', async () => {
    const a = await joinCommitting('a');
    await until(() => a.listener.held.size === PARTITIONS, 'the first member to hold all partitions');
    await sendToAll('r', 1);
    const b = await joinCommitting('b');
    await balanced(a.listener, b.listener);
    const lost = b.member.assignment()[0] as TopicPartition;
    const before = (await fixture.log.committed(groupId)).get(`${lost.topic}-${lost.partition}`);
    const stale = { topic: lost.topic, partition: lost.partition, offset: 1000 };
    await expect(a.member.commit([stale])).rejects.toThrow(FencedError);
    expect((await fixture.log.committed(groupId)).get(`${lost.topic}-${lost.partition}`)).toBe(before);

    const kept = a.member.assignment()[0] as TopicPartition;
    await a.member.commit([{ topic: kept.topic, partition: kept.partition, offset: 1 }]);
    expect((await fixture.log.committed(groupId)).get(`${kept.topic}-${kept.partition}`)).toBe(1);
  });

  it('gives everything to the one that stays when the other leaves', async () => {
    const a = await joinCommitting('a');
    const b = await joinCommitting('b');
    await balanced(a.listener, b.listener);
    await sendToAll('both', 2);
    await until(() => a.listener.received.length + b.listener.received.length >= 2 * PARTITIONS, 'the first records');
    await driver.closeMember(b.member);
    await until(() => a.listener.held.size === PARTITIONS, 'the member that stays to hold all partitions');
    await sendToAll('alone', 2);
    await until(
      () => a.listener.received.length + b.listener.received.length >= 4 * PARTITIONS,
      'the records sent after one left',
    );
    expect([...a.listener.texts(), ...b.listener.texts()].sort()).toEqual(
      [...expected('both', 2), ...expected('alone', 2)].sort(),
    );
    expect(a.listener.texts()).toEqual(expect.arrayContaining(expected('alone', 2)));
  });
}

function positionsOf(listener: RecordingListener | undefined, partitions: readonly TopicPartition[]) {
  return partitions.flatMap(({ topic, partition }) => {
    const offset = listener?.positions.get(`${topic}-${partition}`);
    return offset === undefined ? [] : [{ topic, partition, offset }];
  });
}

function disjoint(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return [...a].every((name) => !b.has(name));
}

/** The partitions of all entries that begin with `what`. */
function entriesOf(journal: readonly string[], what: string): string[] {
  return journal.filter((entry) => entry.startsWith(`${what} `)).map((entry) => entry.slice(what.length + 1));
}
