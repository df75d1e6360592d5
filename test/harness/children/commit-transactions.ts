import { EmbeddedLog } from '../../../src/connectors/embedded/embedded-log.js';
import { RecordingListener } from '../recording-listener.js';

/**
 * Commits transactions until it is killed or one fails: number i puts a record `i` into each partition of topics `a` (2) and `b` (1) and
 * the offset i + 1 of `source-0`. Two producers of transactions at once, and a plain one that writes `plain …` into the same partitions.
 * Begins after what the group has committed. Prints `open`, then each number that was committed; `failed CODE MESSAGE` at a failure.
 */
const [directory = '', valueBytes = '10', segmentBytes = '20000'] = process.argv.slice(2);
const log = await EmbeddedLog.open({ directory, segmentBytes: Number(segmentBytes) });
await log.createTopic({ name: 'source', partitions: 1 });
await log.createTopic({ name: 'a', partitions: 2 });
await log.createTopic({ name: 'b', partitions: 1 });
const listener = new RecordingListener();
const member = await log.join({ groupId: 'g', topics: { names: ['source'] }, start: { at: 'earliest' } }, listener);
while (listener.held.size === 0) await new Promise((resolve) => setImmediate(resolve));

const targets = [
  { topic: 'a', partition: 0 },
  { topic: 'a', partition: 1 },
  { topic: 'b', partition: 0 },
];
const recordsOf = (text: string) => targets.map((t) => ({ ...t, key: null, value: Buffer.from(text) }));
let next = (await log.committed('g')).get('source-0') ?? 0;
let failed = false;
process.stdout.write('open\n');

async function commitInTurn(): Promise<void> {
  const producer = await log.transactionalProducer();
  while (!failed) {
    const i = next++;
    try {
      const offset = { topic: 'source', partition: 0, offset: i + 1 };
      await producer.commit(member, recordsOf(`${i}`.padStart(Number(valueBytes))), [offset]);
      process.stdout.write(`${i}\n`);
    } catch (error) {
      if (!failed) process.stdout.write(`failed ${(error as { code: string }).code} ${(error as Error).message}\n`);
      failed = true;
    }
  }
}

async function sendInTurn(): Promise<void> {
  const producer = await log.producer();
  for (let i = 0; !failed; i++) {
    await producer.send(recordsOf(`plain ${i}`)).catch(() => {
      failed = true;
    });
  }
}

await Promise.all([commitInTurn(), commitInTurn(), ...(valueBytes === '10' ? [sendInTurn()] : [])]);
process.exit();
