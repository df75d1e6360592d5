import { bodyRecord, entryRecord } from '../journal/journal.js';
import { MemoryLog } from '../memory/memory-log.js';
import { neededBodies } from './needed-lists.js';

const text = new TextEncoder();
const { signal } = new AbortController();

describe('the rule sets that a replay may need', () => {
  it('are those in force behind the first record that is left, of every partition that is there', async () => {
    const log = new MemoryLog();
    await log.createTopic({ name: 'rows', partitions: 2 });
    await log.createTopic({ name: 'journal', partitions: 1 });
    const producer = await log.producer();
    const journal = { topic: 'journal', partition: 0 };
    const say = (topic: string, partition: number, n: number, offset: number, digest: string) =>
      producer.send([
        bodyRecord(journal, digest, text.encode(digest)),
        entryRecord(journal, { topic, partition }, { kind: 'rules', n, offset, digest }),
      ]);
    await say('rows', 0, 1, 0, 'first');
    await say('rows', 0, 2, 5, 'second');
    await say('rows', 0, 3, 9, 'third');
    await say('rows', 1, 1, 0, 'other');
    await say('deleted', 0, 1, 0, 'gone');
    const needed = async () =>
      (await neededBodies(log, 'journal', signal)).map((body) => new TextDecoder().decode(body));
    expect((await needed()).sort()).toEqual(['first', 'other', 'second', 'third']);
    const offsets = log.offsets.bind(log);
    log.offsets = async (at) => (at.topic === 'rows' ? { begin: 7, end: 20 } : offsets(at));
    expect((await needed()).sort()).toEqual(['other', 'second', 'third']);
    log.offsets = async (at) => (at.topic === 'rows' ? { begin: 9, end: 20 } : offsets(at));
    expect((await needed()).sort()).toEqual(['other', 'third']);
    expect(await neededBodies(log, 'nothing', signal)).toEqual([]);
  });
});
