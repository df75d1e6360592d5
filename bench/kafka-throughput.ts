/**
 * Kafka to Kafka: how many records a second the service takes from a topic that is full already, finds W1 in, and commits.
 *
 *     node --import ./test/harness/run-typescript.mjs bench/kafka-throughput.ts [--events 1500000] [--partitions 4] [--runs 3] \
 *       [--lanes 1,2] [--peer flink] [--checkpoint 1000] [--json]
 *
 * For each delivery mode and each number of lanes the service runs as its own process, as a user starts it, with a consumer group
 * of its own, until it has committed all; the rate counts from a tenth of the records on, so that starting does not count. Beside
 * it, with the same client and in this process: the records read, and neither decoded nor anything else (the floor).
 *
 * `--peer flink`: Flink CEP does the same from and to the same broker (`bench/peers-kafka`): the same pattern, exactly once, with as many
 * tasks side by side as there are lanes, a checkpoint (with which it commits) every `--checkpoint` ms, and its state on the heap, and then
 * in RocksDB. It needs Java 17 and Maven, which builds it when it is first wanted.
 *
 * Left out: a network between machines, more than one broker, Redis. Broker, service and this process share the processors of one
 * machine; the broker does not flush to disk (Kafka's default).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { startKafka } from '../test/harness/servers/index.js';
import { until } from '../test/harness/until.js';
import { bareConsume, fillTopic } from './kit/filled-topic.js';
import { FlinkPeer } from './kit/flink-peer.js';
import { cpuSeconds } from './kit/process-stat.js';

const root = join(import.meta.dirname, '..');
const TOPIC = 'transactions';
const RUN_MAX_MS = 300_000;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1500000' },
    partitions: { type: 'string', default: '4' },
    runs: { type: 'string', default: '3' },
    lanes: { type: 'string', default: '1,2' },
    peer: { type: 'string' },
    checkpoint: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});
const events = Number(values.events);
const partitions = Number(values.partitions);
const runs = Number(values.runs);
const lanesWanted = values.lanes.split(',').map(Number);

interface Row {
  readonly what: string;
  readonly lanes: number | null;
  readonly recordsPerSecond: number;
  readonly least: number;
  readonly most: number;
  /** Of the same client reading and doing nothing else. */
  readonly ofBareConsume: number | null;
  /** Of the processor, a record, of the process alone; the median of the runs. */
  readonly cpuMicros: number | null;
  readonly alerts: number | null;
}

function configFolder(name: string, lanes: number, delivery: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-throughput-'));
  mkdirSync(join(folder, 'patterns', 'w1'), { recursive: true });
  copyFileSync(join(root, 'bench', 'patterns', 'w1.yaml'), join(folder, 'patterns', 'w1', 'pattern.yaml'));
  writeFileSync(
    join(folder, 'stakeout.yaml'),
    `patterns: ./patterns
streams:
  transactions:
    topic: ${TOPIC}
    schema: ${join(root, 'schemas', 'transaction.avsc')}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    partitions: ${partitions}
    outOfOrderness: 5s
kafka: { groupId: ${name} }
lanes: ${lanes}
delivery: ${delivery}
alerts: { topic: alerts-${name}, partitions: ${partitions} }
journal: { topic: journal-${name} }
http: { port: 0 }
log: { level: warn, format: json }
data: { directory: ./data }
`,
  );
  return folder;
}

function startService(brokers: readonly string[], folder: string): ChildProcess {
  const env = { ...process.env, KAFKA_BROKERS: brokers.join(',') };
  const args = [join(root, 'bin', 'stakeout.mjs'), 'start', '--config', join(folder, 'stakeout.yaml')];
  return spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

interface Measured {
  readonly rate: number;
  /** Of the processor, a record, of all threads of the process. */
  readonly cpuMicros: number;
}

interface Rate extends Measured {
  /** That were committed. */
  readonly alerts: number;
}

/** Records a second of whoever reads in the group, from a tenth of the records on, until it has committed all or says that it has. */
async function rateOf(log: KafkaLog, groupId: string, pid: number, hasEnded = () => false): Promise<Measured> {
  const committed = async (): Promise<number> => {
    const offsets = await log.committed(groupId);
    return [...offsets].reduce((sum, [partition, offset]) => (partition.startsWith(TOPIC) ? sum + offset : sum), 0);
  };
  const from = await until(
    async () => {
      const count = await committed();
      return count >= events / 10 ? count : 0;
    },
    'a tenth of the records',
    RUN_MAX_MS,
  );
  const at = performance.now();
  const cpuAt = cpuSeconds(pid) ?? 0;
  let cpu = cpuAt;
  const isOver = async (): Promise<boolean> => {
    // Of a process that has ended nothing can be asked.
    cpu = cpuSeconds(pid) ?? cpu;
    return hasEnded() || (await committed()) >= events;
  };
  await until(isOver, 'all records', RUN_MAX_MS);
  const read = events - from;
  return { rate: (read * 1000) / (performance.now() - at), cpuMicros: ((cpu - cpuAt) * 1e6) / read };
}

async function serviceRate(
  log: KafkaLog,
  brokers: readonly string[],
  name: string,
  lanes: number,
  delivery: string,
): Promise<Rate> {
  const folder = configFolder(name, lanes, delivery);
  const service = startService(brokers, folder);
  try {
    return { ...(await rateOf(log, name, service.pid!)), alerts: await alertsOf(log, `alerts-${name}`) };
  } finally {
    service.kill('SIGTERM');
    await once(service, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function flinkRate(
  flink: FlinkPeer,
  log: KafkaLog,
  brokers: readonly string[],
  name: string,
  parallelism: number,
  state: string,
): Promise<Rate> {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-flink-'));
  const alerts = `alerts-${name}`;
  await log.createTopic({ name: alerts, partitions });
  const job = flink.start({
    ...{ brokers, topic: TOPIC, alerts, groupId: name, parallelism, state, folder },
    schema: join(root, 'schemas', 'transaction.avsc'),
    checkpointMs: Number(values.checkpoint),
  });
  let code: number | null = null;
  const ended = once(job, 'exit').then(([status]) => {
    code = status as number;
  });
  try {
    const rate = await rateOf(log, name, job.pid!, () => {
      if (code !== null && code !== 0) throw new Error(`Flink ended with ${code}`);
      return code === 0;
    });
    // Its last transaction is committed as it ends.
    await ended;
    return { ...rate, alerts: await alertsOf(log, alerts) };
  } finally {
    job.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function alertsOf(log: KafkaLog, topic: string): Promise<number> {
  let count = 0;
  for (let partition = 0; partition < partitions; partition++) {
    for await (const batch of log.read({ topic, partition }, 0)) count += batch.records.length;
  }
  return count;
}

const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1]!;

function rowOf(
  what: string,
  lanes: number | null,
  rates: number[],
  bare: number | null,
  last: Pick<Rate, 'alerts' | 'cpuMicros'> | null,
): Row {
  const sorted = rates.toSorted((a, b) => a - b);
  const [recordsPerSecond, least, most] = [median(sorted), sorted[0]!, sorted.at(-1)!].map(Math.round) as [
    number,
    number,
    number,
  ];
  const ofBareConsume = bare && recordsPerSecond / bare;
  const { alerts, cpuMicros } = last ?? { alerts: null, cpuMicros: null };
  return { what, lanes, recordsPerSecond, least, most, ofBareConsume, cpuMicros, alerts };
}

/** Several runs of one kind, as a row. */
async function measured(what: string, lanes: number, bare: number, one: (run: number) => Promise<Rate>): Promise<Row> {
  const results: Rate[] = [];
  for (let run = 0; run < runs; run++) results.push(await one(run));
  const rates = results.map(({ rate }) => rate);
  const cpuMicros = median(results.map((result) => result.cpuMicros).toSorted((a, b) => a - b));
  return rowOf(what, lanes, rates, bare, { alerts: results.at(-1)!.alerts, cpuMicros });
}

async function main(): Promise<void> {
  const flink = values.peer === 'flink' ? await FlinkPeer.build() : null;
  const kafka = await startKafka({ own: true });
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'throughput' });
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    if (!values.json) process.stdout.write(`${line(row)}\n`);
  };
  try {
    await fillTopic(log, { topic: TOPIC, partitions, events });
    const rates: number[] = [];
    for (let run = 0; run < runs; run++)
      rates.push(
        await bareConsume(
          log,
          TOPIC,
          Array.from({ length: partitions }, () => 0),
        ),
      );
    add(rowOf('bare consume', null, rates, null, null));
    const bare = rows[0]!.recordsPerSecond;
    for (const delivery of ['exactly-once', 'at-least-once'])
      for (const lanes of lanesWanted)
        add(
          await measured(delivery, lanes, bare, (run) =>
            serviceRate(log, kafka.brokers, `${delivery}-${lanes}-${run}`, lanes, delivery),
          ),
        );
    if (flink !== null)
      for (const state of ['hashmap', 'rocksdb'])
        for (const lanes of lanesWanted)
          add(
            await measured(`flink ${state}`, lanes, bare, (run) =>
              flinkRate(flink, log, kafka.brokers, `flink-${state}-${lanes}-${run}`, lanes, state),
            ),
          );
    if (values.json) process.stdout.write(`${JSON.stringify({ events, partitions, runs, rows })}\n`);
  } finally {
    await log.close();
    await kafka.stop();
  }
}

function line(row: Row): string {
  const n = (x: number): string => x.toLocaleString('en-US').padStart(10);
  const lanes = row.lanes === null ? '' : `${row.lanes} lane${row.lanes === 1 ? '' : 's'}`;
  const ratio = row.ofBareConsume === null ? '' : `${Math.round(row.ofBareConsume * 100)} % of bare`;
  const cpu = row.cpuMicros === null ? '' : `${row.cpuMicros.toFixed(2)} µs of processor a record`;
  const alerts = row.alerts === null ? '' : `${row.alerts} alerts`;
  return `${row.what.padEnd(14)} ${lanes.padEnd(8)} ${n(row.recordsPerSecond)}/s (${n(row.least)} to ${n(row.most)})  ${ratio}  ${cpu}  ${alerts}`;
}

await main();
