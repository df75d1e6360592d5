import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { KafkaLog } from '../../../src/connectors/kafka/kafka-log.js';
import { KafkaSink } from '../../../src/connectors/kafka/kafka-sink.js';
import { systemClock } from '../../../src/connectors/system-clock.js';
import type { Alert } from '../../../src/runtime/ports/alert.js';
import type { LogRecord } from '../../../src/runtime/ports/log.js';
import { describeSink, someAlert } from '../../contracts/sink-contract.js';
import { KafkaProxy } from '../../harness/kafka-proxy.js';
import { SERVER_START_MS, sharedKafka } from '../../harness/servers/index.js';

jest.setTimeout(SERVER_START_MS);

const PARTITIONS = 2;
const text = new TextEncoder();
const encode = (alert: Alert) => text.encode(JSON.stringify(alert));

async function recordsOf(log: KafkaLog, topic: string): Promise<readonly LogRecord[]> {
  const there = (await log.topics()).some(({ name }) => name === topic);
  const all: LogRecord[] = [];
  for (let partition = 0; there && partition < PARTITIONS; partition++)
    for await (const { records } of log.read({ topic, partition }, 0)) all.push(...records);
  return all;
}

describeSink('Kafka', {
  place: async () => {
    const [direct = ''] = await sharedKafka();
    const proxy = await KafkaProxy.start(direct);
    const topic = `sink-${randomUUID().slice(0, 8)}`;
    const reader = new KafkaLog({ brokers: [direct], clientId: 'reader' });
    return {
      sink: async () =>
        new KafkaSink({
          ...{ name: 'other-cluster', topic, partitions: PARTITIONS, create: true, encode, clock: systemClock },
          ...{ address: proxy.address, timeoutMs: 1_000 },
          log: new KafkaLog({ brokers: [proxy.address], clientId: 'sink' }),
        }),
      written: async () =>
        (await recordsOf(reader, topic)).map(({ value }) => JSON.parse(new TextDecoder().decode(value!)) as Alert),
      away: async () => {
        proxy.reachable = false;
        proxy.intercept = () => 'lose';
      },
      back: async () => {
        proxy.intercept = () => 'forward';
        proxy.reachable = true;
      },
      close: async () => {
        await reader.close();
        await proxy.close();
      },
    };
  },
  // Larger than a broker takes unless told otherwise.
  poison: (alert) => ({ ...alert, title: 'x'.repeat(2_000_000) }),
});

describe('alerts in a topic', () => {
  it('have the alert’s key, and its id in a header', async () => {
    const [broker = ''] = await sharedKafka();
    const topic = `sink-${randomUUID().slice(0, 8)}`;
    const log = new KafkaLog({ brokers: [broker], clientId: 'sink' });
    const sink = new KafkaSink({
      ...{ name: 's', topic, partitions: PARTITIONS, create: true, encode, clock: systemClock, log },
      ...{ address: broker, timeoutMs: 10_000 },
    });
    await sink.prepare();
    await sink.write([someAlert(1), someAlert(2)]);
    const reader = new KafkaLog({ brokers: [broker], clientId: 'reader' });
    const records = await recordsOf(reader, topic);
    const decoded = (bytes: Uint8Array | null | undefined) => new TextDecoder().decode(bytes ?? undefined);
    expect(records.map(({ key, headers }) => [decoded(key), decoded(headers?.get('stakeout.id'))]).sort()).toEqual([
      ['acc-1', someAlert(1).id],
      ['acc-2', someAlert(2).id],
    ]);
    await reader.close();
    await sink.close();
  });
});
