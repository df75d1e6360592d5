import { randomUUID } from 'node:crypto';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { TopicObjectStore } from '../../src/connectors/log-objects/topic-object-store.js';
import { describeObjectStoreContract } from '../contracts/object-store-contract.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';

beforeAll(async () => {
  await sharedKafka();
}, SERVER_START_MS);

describeObjectStoreContract('the objects in a topic of Kafka', async () => {
  const log = new KafkaLog({ brokers: await sharedKafka(), clientId: 'objects' });
  const topic = `objects-${randomUUID()}`;
  const opened: TopicObjectStore[] = [];
  const another = async () => {
    const store = await TopicObjectStore.open({ log, topic, partitions: 3 });
    opened.push(store);
    return store;
  };
  const dispose = async () => {
    await Promise.all(opened.map((store) => store.close()));
    await log.close();
  };
  return { store: await another(), another, dispose };
});
