import { EmbeddedLog } from '../../../src/connectors/embedded/embedded-log.js';

/**
 * Appends records 0, 1, 2 … to partition 0 of topic `t`, some sends at a time, until it is killed or a send fails. Prints the number of
 * each record whose send has resolved; `failed CODE MESSAGE` at the first failure; `end N`, then, with the partition's end offset.
 */
const [directory = '', valueBytes = '20', segmentBytes = '100000'] = process.argv.slice(2);
const log = await EmbeddedLog.open({ directory, segmentBytes: Number(segmentBytes) });
await log.createTopic({ name: 't', partitions: 1 });
const producer = await log.producer();
process.stdout.write('open\n');

let next = 0;
let failed = false;
async function appendInTurn(): Promise<void> {
  while (!failed) {
    const i = next++;
    try {
      await producer.send([
        { topic: 't', partition: 0, key: null, value: Buffer.from(`${i}`.padStart(Number(valueBytes))) },
      ]);
      process.stdout.write(`${i}\n`);
    } catch (error) {
      if (!failed) {
        failed = true;
        process.stdout.write(`failed ${(error as { code: string }).code} ${(error as Error).message}\n`);
      }
    }
  }
}
await Promise.all([1, 2, 3, 4].map(appendInTurn));
process.stdout.write(`end ${(await log.offsets({ topic: 't', partition: 0 })).end}\n`);
process.exit();
