import { KafkaLog } from '../../../src/connectors/kafka/kafka-log.js';

/** Joins group `group` on topic `source`, and commits one transaction with a record and an offset for each of its partitions. */
const [broker = '', id = '', group = '', source = '', target = ''] = process.argv.slice(2);
const log = new KafkaLog({
  brokers: [broker],
  clientId: 'child',
  sessionTimeoutMs: 6_000,
  transactionTimeoutMs: 300_000,
});
const transactions = await log.transactionalProducer(id);
const nothing = async () => {};
const held = Promise.withResolvers<void>();
const member = await log.join(
  { groupId: group, topics: { names: [source] }, start: { at: 'earliest' } },
  {
    onAssigned: async () => {
      held.resolve();
      return undefined;
    },
    onRevoked: nothing,
    onLost: nothing,
    onBatch: nothing,
    onTrouble: () => {},
    onRecovered: () => {},
    onFatal: () => {},
  },
);
await held.promise;
const partitions = member.assignment();
const records = partitions.map(({ partition }) => ({
  topic: target,
  partition,
  key: null,
  value: Buffer.from('child'),
}));
process.stdout.write(`committing ${partitions.length}\n`);
await transactions.commit(
  member,
  records,
  partitions.map((p) => ({ ...p, offset: 1 })),
);
process.stdout.write('committed\n');
await log.close();
