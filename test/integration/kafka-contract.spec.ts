import { randomUUID } from 'node:crypto';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { describeLogContract } from '../contracts/log-contract.js';
import { describeTransactionContract } from '../contracts/log-contract-transactions.js';
import type { LogFixture } from '../contracts/log-fixture.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';

beforeAll(async () => {
  await sharedKafka();
}, SERVER_START_MS);

async function fixture(): Promise<LogFixture> {
  const brokers = await sharedKafka();
  const opened: KafkaLog[] = [];
  const timings = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 100, unknownTopicMs: 1_500 };
  const open = () => {
    const log = new KafkaLog({ brokers, clientId: 'contract', ...timings });
    opened.push(log);
    return log;
  };
  const log = open();
  return {
    log,
    newTopic: async (partitions) => {
      const name = `contract-${randomUUID()}`;
      await log.createTopic({ name, partitions });
      return name;
    },
    reopen: async () => {
      await log.close();
      return open();
    },
    dispose: async () => {
      await Promise.all(opened.map((one) => one.close()));
    },
  };
}

describeLogContract('the log on Kafka', fixture);
describeTransactionContract('the log on Kafka', fixture);
