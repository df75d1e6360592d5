/** A feed on real Kafka whose process is gone in the middle, with a transaction open: the next one neither loses nor repeats a row. */
import { jest } from '@jest/globals';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { systemClock } from '../../src/connectors/system-clock.js';
import { Feed, type RowSource } from '../../src/runtime/feeds/feed.js';
import { FeedBook } from '../../src/runtime/feeds/feed-book.js';
import type { AssignedPartition } from '../../src/runtime/ports/log.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';

jest.setTimeout(SERVER_START_MS);

const run = `feed-${process.pid}-${Date.now()}`;
const ROWS = 6000;
const text = new TextEncoder();

let brokers: readonly string[];
const opened: KafkaLog[] = [];
beforeAll(async () => {
  brokers = await sharedKafka();
});
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()));
});

/** `hold`: once so many rows were given, no more come. */
function rows(hold = Number.POSITIVE_INFINITY): RowSource {
  return {
    last: [String(ROWS - 1)],
    async *rowsAfter(after) {
      for (let from = after === null ? 0 : Number(after[0]) + 1; from < ROWS; from += 500) {
        if (from >= hold) await new Promise(() => undefined);
        yield Array.from({ length: Math.min(500, ROWS - from) }, (_, n) => ({
          ...{
            key: text.encode(`A${(from + n) % 9}`),
            value: text.encode(String(from + n)),
            place: [String(from + n)],
          },
        }));
      }
    },
    close: async () => undefined,
  };
}

async function instance(source: RowSource) {
  const log = new KafkaLog({ brokers, clientId: run });
  opened.push(log);
  const book = new FeedBook({ log, clock: systemClock, topic: `${run}-book`, onTrouble: () => undefined });
  await book.open();
  const assigned = Promise.withResolvers<AssignedPartition>();
  const nothing = { onRevoked: async () => undefined, onLost: async () => undefined, onBatch: () => undefined };
  const member = await log.join(
    { groupId: `${run}-feeds`, topics: { names: [`${run}-book`] }, start: { at: 'latest' } },
    {
      onAssigned: async ([partition]) => {
        assigned.resolve(partition!);
        return undefined;
      },
      ...{ ...nothing, onTrouble: () => undefined, onRecovered: () => undefined, onFatal: () => undefined },
    },
  );
  const { topic, partition, position } = await assigned.promise;
  const options = {
    ...{ log, clock: systemClock, book, topic: { name: `${run}-rows`, partitions: 3 }, from: 'the table' },
    ...{ transactionalId: `${run}-id`, open: async () => source, onTrouble: () => undefined },
  };
  const feed = new Feed(options, member, { topic, partition, offset: position });
  return { log, book, feed, member };
}

async function fed(log: KafkaLog): Promise<readonly number[]> {
  const found: number[] = [];
  for (const partition of [0, 1, 2])
    for await (const { records } of log.read({ topic: `${run}-rows`, partition }, 0))
      for (const { value } of records) found.push(Number(new TextDecoder().decode(value!)));
  return found.sort((a, b) => a - b);
}

it('feeds each row once over a process that is gone in the middle', async () => {
  const first = await instance(rows(2500));
  await until(async () => {
    await first.book.refresh();
    return (first.book.get(`${run}-rows`)?.rows ?? 0) === 2500;
  }, 'the first rows');
  // It leaves the group, and its feed stands still with its producer open: nobody has ended it.
  await first.member.close();
  const other = await instance(rows());
  await until(async () => {
    await other.book.refresh();
    return other.book.get(`${run}-rows`)?.doneAt != null;
  }, 'the end of the rows');
  expect(await fed(other.log)).toEqual(Array.from({ length: ROWS }, (_, n) => n));
  await other.feed.stop();
});
