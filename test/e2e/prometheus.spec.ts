/** A real Prometheus reads a real service, and the alert rules that we ship fire when what they are about happens. Minutes are made seconds. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import type { LogProducer, OutgoingRecord } from '../../src/runtime/ports/log.js';
import { dashboards } from '../deploy/kit/dashboards.js';
import { queriesOf } from '../deploy/kit/grafana.js';
import { metricsIn } from '../deploy/kit/metrics-text.js';
import { type Prometheus, SERVER_START_MS, sharedKafka, startPrometheus } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { built, root } from './kit/build.js';
import { Drains } from './kit/drains.js';
import { ServiceProcess } from './kit/service.js';

const run = `prometheus-${process.pid}-${Date.now()}`;
const TRANSACTIONS = `${run}-transactions`;
const schema = join(root, 'schemas/transaction.avsc');
const HOUR_MS = 3_600_000;

/** Puts a file in the place of a folder that a service is writing to, and may make anew at any moment. */
async function standInTheWay(path: string): Promise<void> {
  let times = 0;
  await until(() => {
    try {
      renameSync(path, `${path}-away-${++times}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    try {
      writeFileSync(path, 'in the way', { flag: 'wx' });
      return true;
    } catch {
      return false;
    }
  }, `a file to stand at ${path}`);
}

/** The sink goes to where nobody listens. */
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
    outOfOrderness: 0s
alerts: { topic: ${run}-alerts, partitions: 1 }
deadLetters: { topic: ${run}-dead-letters }
late: { topic: ${run}-late }
journal: { topic: ${run}-journal }
rules: { topic: ${run}-rules }
switches: { topic: ${run}-switches }
lanes: 1
redis: { url: 'redis://127.0.0.1:1', timeout: 200ms }
snapshot: { interval: 200ms }
checkpoint:
  to: directory
  directory: ./checkpoints
  interval: 500ms
  minPause: 100ms
http: { port: 0 }
data: { directory: ./data }
log: { level: info, format: json }
`;

/** The rules that we ship, with windows and waits of seconds in place of minutes; a small state will do. */
function quickRules(): string {
  return readFileSync(join(root, 'deploy/prometheus/stakeout.rules.yaml'), 'utf8')
    .replaceAll(/\[\d+m\]/g, '[5s]')
    .replaceAll(/for: \d+m/g, 'for: 1s')
    .replaceAll('offset 1h', 'offset 5s')
    .replaceAll('> 268435456', '> 1000');
}

let folder: string;
let log: KafkaLog;
let producer: LogProducer;
let drains: Drains;
let service: ServiceProcess;
let prometheus: Prometheus;
/** Event time by now, and accounts so far. */
let time = Date.now();
let accounts = 0;

beforeAll(async () => {
  const [brokers] = await Promise.all([sharedKafka(), built()]);
  folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-prometheus-'));
  const config = join(folder, 'stakeout.yaml');
  writeFileSync(config, settings(brokers));
  log = new KafkaLog({ brokers, clientId: run });
  producer = await log.producer();
  drains = new Drains(TRANSACTIONS, new TransactionEncoder(readAvroSchema(schema)));
  service = ServiceProcess.start(config);
  await service.ready();
  writeFileSync(join(folder, 'rules.yaml'), quickRules());
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 500ms, evaluation_interval: 500ms }
rule_files: [rules.yaml]
scrape_configs:
  - job_name: stakeout
    static_configs: [{ targets: ['${new URL(service.url).host}'] }]
`,
  );
  prometheus = await startPrometheus(join(folder, 'prometheus.yml'));
}, SERVER_START_MS);

afterAll(async () => {
  await prometheus?.stop();
  await service?.kill9();
  await producer?.close();
  await log?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

interface Alert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The first alert of that name that fires; meanwhile something is done, again and again. */
async function fires(name: string, meanwhile: () => Promise<void> = async () => undefined): Promise<Alert> {
  let alerts: readonly Alert[] = [];
  const found = await until(
    async () => {
      await meanwhile();
      const answer = await fetch(`${prometheus.url}/api/v1/alerts`);
      alerts = ((await answer.json()) as { data: { alerts: Alert[] } }).data.alerts;
      return alerts.find(({ state, labels }) => state === 'firing' && labels.alertname === `Stakeout${name}`);
    },
    () => `${name} to fire: ${JSON.stringify(alerts)}`,
    150_000,
  );
  return found!;
}

/** The first event of a drain, of accounts that were not seen before. */
function beginnings(count: number): OutgoingRecord[] {
  return Array.from({ length: count }, () => drains.record(`account-${accounts++}`, 0, { eventTime: ++time }));
}

describe('the alert rules on a real Prometheus', () => {
  it('find every metric that they and the dashboards ask for', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const known = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name!],
    );
    const asked = [quickRules(), ...dashboards.flatMap(queriesOf)].flatMap(metricsIn);
    expect(asked.length).toBeGreaterThan(60);
    expect(asked.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('fire when nothing comes in', async () => {
    expect(await fires('NoInput')).toMatchObject({ labels: { job: 'stakeout', severity: 'critical' } });
  });

  it('fire when a sink does not get rid of alerts', async () => {
    await producer.send(([0, 1, 2] as const).map((step) => drains.record('drained', step, { eventTime: ++time })));
    const { labels } = await fires('SinkBehind', () => producer.send(beginnings(1)));
    expect(labels.sink).toBe('redis');
  });

  it('fire when checkpoints fail', async () => {
    await standInTheWay(join(folder, 'checkpoints'));
    const { annotations } = await fires('CheckpointsFailing', () => producer.send(beginnings(1)));
    expect(annotations.summary).toMatch(/% of checkpoints fail$/);
  });

  it('fire when records cannot be read', async () => {
    const broken = { topic: TRANSACTIONS, key: null, value: Buffer.from([1]) };
    await fires('DeadLettersRising', () => producer.send([broken, ...beginnings(2)]));
  });

  it('fire when state grows', async () => {
    let many = 100;
    await fires('StateGrowing', () => {
      many = Math.min(2_000, Math.ceil(many * 1.1));
      return producer.send(beginnings(many));
    });
  });

  it('fire when what is processed is old', async () => {
    const old = (record: OutgoingRecord) => ({ ...record, timestamp: Date.now() - HOUR_MS });
    const { labels } = await fires('LagHigh', () => producer.send(beginnings(5_000).map(old)));
    expect(labels).toMatchObject({ topic: TRANSACTIONS, partition: '0' });
  });

  it('fire when an event from the future has stopped time, and all others are late', async () => {
    const before = time;
    time += 24 * HOUR_MS;
    await producer.send(beginnings(1));
    time = before;
    const { labels } = await fires('WatermarkStuck', () => producer.send(beginnings(20)));
    expect(labels).toMatchObject({ topic: TRANSACTIONS, partition: '0' });
    await fires('LateEvents', () => producer.send(beginnings(20)));
  });

  it('fire when nobody is there any more', async () => {
    await service.kill9();
    await fires('Absent');
  });
});
