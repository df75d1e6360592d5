/** Checkpoints that fail again and again: the lane commits and is started again, as the settings say, and no alert is lost or doubled. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { SERVER_START_MS, sharedKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built, root } from './kit/build.js';
import { DrainAlerts } from './kit/drain-alerts.js';
import { DrainStream } from './kit/drain-stream.js';
import { Drains } from './kit/drains.js';
import { ServiceProcess } from './kit/service.js';

const run = `restarts-${process.pid}-${Date.now()}`;
const [TRANSACTIONS, ALERTS] = [`${run}-transactions`, `${run}-alerts`] as const;
const schema = join(root, 'schemas/transaction.avsc');

const settings = (brokers: readonly string[]): string => `
name: ${run}
patterns: ${join(root, 'patterns')}
kafka: { brokers: ['${brokers.join("', '")}'], groupId: ${run} }
streams:
  transactions:
    topic: ${TRANSACTIONS}
    partitions: 1
    schema: ${schema}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    mode: arrival
alerts: { topic: ${ALERTS}, partitions: 1 }
deadLetters: { topic: ${run}-dead-letters }
late: { topic: ${run}-late }
journal: { topic: ${run}-journal }
rules: { topic: ${run}-rules }
switches: { topic: ${run}-switches }
lanes: 1
snapshot: { interval: 200ms }
restart: { strategy: fixed, delay: 200ms, attempts: 1000 }
checkpoint: { to: directory, directory: ./checkpoints, interval: 300ms, minPause: 100ms, restartAfter: 3 }
http: { port: 0 }
data: { directory: ./data }
log: { level: info, format: json }
`;

it(
  'starts the lane again, and goes on where it was',
  async () => {
    const [brokers] = await Promise.all([sharedKafka(), built()]);
    const folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-restarts-'));
    const config = join(folder, 'stakeout.yaml');
    writeFileSync(config, settings(brokers));
    const log = new KafkaLog({ brokers, clientId: run });
    const producer = await log.producer();
    const alerts = new DrainAlerts(log, ALERTS);
    const drains = new Drains(TRANSACTIONS, new TransactionEncoder(readAvroSchema(schema)));
    const service = ServiceProcess.start(config);
    const [checkpoints, aside] = [join(folder, 'checkpoints'), join(folder, 'aside')];
    try {
      await service.ready();
      const stream = new DrainStream('restarted', drains, producer);
      try {
        await until(
          async () => (await service.metric('stakeout_checkpoint_size_bytes').catch(() => 0)) > 0,
          'a checkpoint',
        );
        renameSync(checkpoints, aside);
        writeFileSync(checkpoints, 'in the way');
        const restarts = () => service.metric('stakeout_lane_restarts_total');
        await until(async () => (await restarts()) >= 2, 'the lane to be started again twice');
        rmSync(checkpoints);
        renameSync(aside, checkpoints);
        await until(() => service.isReady(), 'it to be ready again');
        await until(
          async () => (await service.metric('stakeout_checkpoint_size_bytes').catch(() => 0)) > 0,
          'a checkpoint',
        );
      } finally {
        await stream.stop();
      }
      await alerts.of(stream.accounts);
      const ids = alerts.written.map(({ alert }) => alert.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(service.log.map(({ msg }) => msg)).toContain('lane 0 ended and is started again in 200 ms');
      expect(await service.stop()).toBe(0);
    } finally {
      await service.kill9();
      await producer.close();
      await log.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  2 * SERVER_START_MS,
);
