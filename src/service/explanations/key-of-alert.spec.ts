import { JsonDecoder } from '../../connectors/json/json-decoder.js';
import type { KeyBy } from '../../rules/rule.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import type { StreamParts } from '../compose/streams/stream-parts.js';
import { anAlert } from '../testing/an-alert.js';
import { keyOfAlert } from './key-of-alert.js';

const pseudonyms = new Pseudonyms('a secret of at least thirty-two letters', ['card', 'device']);
const stream = {
  settings: { name: 'payments', topics: { names: ['payments'] } },
  decoder: () => new JsonDecoder(),
} as unknown as StreamParts;
const byCard: KeyBy = { form: 'one', field: 'card' };

async function logOf(...records: readonly object[]): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.createTopic({ name: 'payments', partitions: 1 });
  const producer = await log.producer();
  await producer.send(
    records.map((record) => ({ topic: 'payments', key: null, value: Buffer.from(JSON.stringify(record)) })),
  );
  return log;
}

const alertOf = (key: string, ...offsets: readonly number[]) => {
  const place = { id: 't', eventTime: 0, kind: 'Payment', topic: 'payments', partition: 0, fields: {} };
  return anAlert({
    key: pseudonyms.of(key),
    steps: [{ step: 'one', events: offsets.map((offset) => ({ ...place, offset })) }],
  });
};

describe('the key of an alert that has a pseudonym in its place', () => {
  it.each<[what: string, keyBy: KeyBy, key: string]>([
    ['one field', byCard, '4711'],
    ['a pair', { form: 'pair', fields: ['card', 'device'] }, '4711/d\\/1'],
    ['each of several fields', { form: 'each', fields: ['device', 'card'] }, '4711'],
    ['the field of its stream', { form: 'by', streams: { logins: 'user', payments: 'card' } }, '4711'],
  ])('is in the records of its events: %s', async (_, keyBy, key) => {
    const log = await logOf({ card: 'another' }, { card: '4711', device: 'd/1' });
    const { signal } = new AbortController();
    expect(await keyOfAlert(alertOf(key, 1), keyBy, { log, streams: [stream], pseudonyms, signal })).toBe(key);
  });

  it.each<[what: string, offsets: readonly number[], keyBy: KeyBy]>([
    ['its records are gone', [7], byCard],
    ['it has no events', [], byCard],
    ['the rule is keyed otherwise by now', [0], { form: 'one', field: 'device' }],
    ['the record is of another key', [1], byCard],
  ])('is not told where %s', async (_, offsets, keyBy) => {
    const log = await logOf({ card: '4711', device: 'd/1' }, { card: '4712' });
    const { signal } = new AbortController();
    expect(await keyOfAlert(alertOf('4711', ...offsets), keyBy, { log, streams: [stream], pseudonyms, signal })).toBe(
      null,
    );
  });
});
