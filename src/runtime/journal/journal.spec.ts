import { MemoryLog } from '../memory/memory-log.js';
import type { OutgoingRecord } from '../ports/log.js';
import { bodyRecord, entryRecord, type JournalEntry, journalPartition, readJournal } from './journal.js';

const T0 = { topic: 't', partition: 0 };
const T1 = { topic: 't', partition: 1 };
const AT = { topic: 'journal', partition: 0 };

const tick = (n: number, offset: number): JournalEntry => ({
  kind: 'tick',
  n,
  offset,
  watermark: 1000 + n,
  given: true,
});
const rules = (n: number, offset: number, digest: string): JournalEntry => ({ kind: 'rules', n, offset, digest });

async function journalOf(records: readonly OutgoingRecord[]): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.createTopic({ name: 'journal', partitions: 1 });
  const producer = await log.producer();
  await producer.send(records);
  return log;
}

const read = (log: MemoryLog, of = T0, from = 0) => readJournal(log, AT, of, from, new AbortController().signal);

describe('the journal', () => {
  it('gives the entries of one partition in order, with the rule sets beside them', async () => {
    const body = new TextEncoder().encode('the rules');
    const log = await journalOf([
      bodyRecord(AT, 'd1', body),
      entryRecord(AT, T0, rules(1, 0, 'd1')),
      entryRecord(AT, T1, rules(1, 5, 'd1')),
      entryRecord(AT, T0, tick(2, 17)),
    ]);
    const history = await read(log);
    expect(history.entries).toEqual([rules(1, 0, 'd1'), tick(2, 17)]);
    expect([...history.bodies].map(([digest, bytes]) => [digest, String(Buffer.from(bytes))])).toEqual([
      ['d1', 'the rules'],
    ]);
    expect(history.end).toBe(4);
  });

  it('is read from where a state has followed it to, or from its begin when it was made anew', async () => {
    const log = await journalOf([entryRecord(AT, T0, tick(1, 3)), entryRecord(AT, T0, tick(2, 4))]);
    expect((await read(log, T0, 1)).entries).toEqual([tick(2, 4)]);
    expect((await read(log, T0, 99)).entries).toEqual([tick(1, 3), tick(2, 4)]);
  });

  it('passes over what others wrote to its topic', async () => {
    const key = new TextEncoder().encode('t-0');
    const log = await journalOf([
      { ...AT, key, value: new TextEncoder().encode('hello') },
      { ...AT, key, value: null },
      { ...AT, key: null, value: key },
      { ...AT, key, value: new TextEncoder().encode('{"kind":"weather"}') },
    ]);
    expect((await read(log)).entries).toEqual([]);
  });

  it('keeps all entries of a partition in one partition of its own, whatever their number', () => {
    expect(journalPartition('journal', 1, T0)).toEqual(AT);
    const places = [0, 1, 2, 3, 4, 5, 6, 7].map((partition) =>
      journalPartition('journal', 4, { topic: 't', partition }),
    );
    expect(new Set(places.map((p) => p.partition)).size).toBeGreaterThan(1);
    expect(places.every((p) => p.partition >= 0 && p.partition < 4)).toBe(true);
  });
});
