import { until } from '../../../test/harness/until.js';
import { readAvroSchema } from '../../connectors/avro/schema.js';
import { TransactionEncoder } from '../../connectors/avro/transaction-encoder.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import { loadSettings } from '../../runtime/settings/index.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { makeLane } from './make-lane.js';

const ruleOf = (id: string, key: string) => ({
  file: `${id}/pattern.yaml`,
  text: `id: ${id}\nkey: ${key}\npattern: [{begin: payment, where: amount > 5}]\n`,
});

it('forwards events by a field that no rule read until one was published while the lane runs', async () => {
  const loaded = loadSettings({ env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  const { settings } = loaded;
  const [stream] = Object.values(settings.streams);
  const topic = stream!.topic!;
  const clock = new ManualClock();
  const log = new MemoryLog({ clock });
  const said = { lists: {}, paused: [], report: () => undefined, warn: () => undefined };
  const own = { settings, number: 0, clock, log, store: new MemoryStateStore(), listener: {}, ...said };
  const lane = makeLane({ ...own, sources: [ruleOf('large', 'accountId')] });
  await lane.start();
  await lane.changeRules([ruleOf('large', 'accountId'), ruleOf('there', 'terminalId')]);
  const encoder = new TransactionEncoder(readAvroSchema(stream!.schema!));
  const row = { transactionId: 't', accountId: 'A', eventTime: 1000, type: 'Payment', amount: 9, terminalId: 'T' };
  const encoded = encoder.encode(row);
  if (!encoded.ok) throw new Error(JSON.stringify(encoded.errors));
  const producer = await log.producer();
  await producer.send([{ topic, partition: 0, key: new TextEncoder().encode('A'), value: encoded.bytes }]);
  await until(async () => {
    clock.advance(1000);
    const events = [];
    const found = (await log.topics()).find(({ name }) => name === `${topic}-by-terminalId`);
    for (let partition = 0; partition < (found?.partitions ?? 0); partition++)
      for await (const { records } of log.read({ topic: found!.name, partition }, 0))
        events.push(...records.filter(({ key }) => key !== null));
    return events.length === 1;
  }, 'the event to be forwarded by its terminal');
  await lane.stop();
});
