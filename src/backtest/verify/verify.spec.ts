import {
  allCommitted,
  type MemoryKit,
  makeLane,
  memoryKit,
  RULES,
  readRuleSet,
  rowsOf,
  ruleSetOf,
  stream,
} from '../../../test/harness/lane-kit.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import { type Verification, type VerifyOptions, verify } from './verify.js';

const alertDecoder = { decode: (value: Uint8Array) => JSON.parse(String(Buffer.from(value))) as Alert };

async function live(kit: MemoryKit, rows: string, more: Parameters<typeof makeLane>[1] = {}): Promise<void> {
  const lane = makeLane(kit, more);
  await lane.start();
  const producer = await kit.log.producer();
  await producer.send(rowsOf(rows));
  await allCommitted(kit);
  await lane.stop();
}

const verified = (log: MemoryLog, more: Partial<VerifyOptions> = {}): Promise<Verification> =>
  verify({
    ...{ log, topic: 'rows', groupId: 'g', journalTopic: 'journal', alertsTopic: 'alerts', alertDecoder, stream },
    ...{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, current: ruleSetOf(RULES), readRuleSet },
    signal: new AbortController().signal,
    report: () => undefined,
    turn: async () => undefined,
    ...more,
  });

describe('verifying a topic', () => {
  it('finds alerts with pseudonyms again, with the same secret alone', async () => {
    const kit = await memoryKit();
    const secret = (text: string) => new Pseudonyms(text, ['account']);
    await live(kit, 'Xa100 Yb101 Xb106 Xa103 Zz500', { pseudonyms: secret('one') });
    const result = await verified(kit.log, { pseudonyms: secret('one') });
    expect(result).toMatchObject({ equal: true, alertsLive: 4 });
    expect(await verified(kit.log, { pseudonyms: secret('another') })).toMatchObject({ equal: false });
    for await (const { records } of kit.log.read({ topic: 'alerts', partition: 0 }, 0)) {
      for (const { key, value } of records) {
        const alert = alertDecoder.decode(value!);
        expect([alert.key, String(Buffer.from(key!))]).toEqual(Array(2).fill(secret('one').of('X')));
      }
    }
  });

  it.each<DeliveryMode>(['exactly-once', 'at-least-once'])('finds the committed alerts again, %s', async (delivery) => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Yb101 Xb106 Xa103 Zz500', { delivery });
    await live(kit, 'Xa510 Xb520 Zz900', { delivery });
    const result = await verified(kit.log);
    expect(result).toMatchObject({ equal: true, alertsLive: 6, alertsReplayed: 6, repeats: 0, records: 8 });
    expect(result.live).toBe(result.replayed);
    expect(result.live).toMatch(/^[0-9a-f]{64}$/);
  });

  it('replays each stretch under the rules that were in force', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Xb106 Zz500', { ruleSet: ruleSetOf([RULES[0]!]) });
    await live(kit, 'Xa510 Xb520 Zz900', { ruleSet: ruleSetOf([RULES[2]!]) });
    // What runs today is yet another set.
    const result = await verified(kit.log, { current: ruleSetOf([RULES[1]!]) });
    expect(result).toMatchObject({ equal: true, alertsLive: 2 });
  });

  it('tells of an alert that is gone from the topic, and of one that nothing explains', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Xb106 Zz500');
    kit.log.deleteBefore({ topic: 'alerts', partition: 0 }, 1);
    const missing = await verified(kit.log);
    expect(missing).toMatchObject({ equal: false, alertsLive: 1, alertsReplayed: 2, unexpected: [] });
    expect(missing.missing).toEqual([expect.objectContaining({ key: 'X' })]);

    const other = await memoryKit();
    await live(other, 'Xa100 Xb106 Zz500');
    const producer = await other.log.producer();
    let value: Uint8Array | null = null;
    for await (const { records } of other.log.read({ topic: 'alerts', partition: 0 }, 0)) value = records[0]!.value;
    const forged = { ...alertDecoder.decode(value!), id: 'forged' };
    await producer.send([{ topic: 'alerts', partition: 0, key: null, value: Buffer.from(JSON.stringify(forged)) }]);
    expect(await verified(other.log)).toMatchObject({ equal: false, missing: [], unexpected: [{ id: 'forged' }] });
  });

  it('compares a range of event time alone', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Xb106 Zz500 Xa510 Xb520 Zz900');
    const all = await verified(kit.log);
    const part = await verified(kit.log, { from: 500, to: 530 });
    expect([all.alertsLive, part.alertsLive, part.equal]).toEqual([4, 1, true]);
  });

  it('leaves out what retention has made unprovable', async () => {
    const kit = await memoryKit();
    await live(kit, 'Xa100 Xb106 Zz500 Xa510 Xb520 Zz900');
    kit.log.deleteBefore({ topic: 'rows', partition: 0 }, 1);
    expect(await verified(kit.log)).toMatchObject({ equal: true, alertsLive: 2, beforeRetention: 2 });
  });

  it('says what is missing', async () => {
    const kit = await memoryKit();
    await expect(verified(kit.log, { topic: 'nothing' })).rejects.toThrow('There is no topic nothing.');
    await expect(verified(kit.log)).rejects.toThrow('There is no journal journal');
  });
});
