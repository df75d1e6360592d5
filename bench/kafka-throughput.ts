/**
 * Kafka to Kafka: how many records a second the service takes from a topic that is full already, finds W1 in, and commits.
 *
 *     node --import ./test/harness/run-typescript.mjs bench/kafka-throughput.ts [--events 1500000] [--partitions 4] [--runs 3] \
 *       [--lanes 1,2] [--rules own,terminal,feature] [--delivery exactly-once,at-least-once] [--peer flink] [--checkpoint 1000] [--json]
 *
 * For each delivery mode and each number of lanes the service runs as its own process, as a user starts it, with a consumer group
 * of its own, until it has committed all; the rate counts from a tenth of the records on, so that starting does not count. Beside
 * it, with the same client and in this process: the records read, and neither decoded nor anything else (the floor).
 *
 * `--rules`: how W1 is keyed; by the topic's key (`own`), by another (`terminal`), or by the topic's with a feature of another (`feature`). The
 * latter two read a topic of their own in each run, since they write events again beside it, and are over when nothing of that is left to be read.
 *
 * `--peer flink`: Flink CEP does the same from and to the same broker (`bench/peers-kafka`): the same pattern, exactly once, with as many
 * tasks side by side as there are lanes, a checkpoint (with which it commits) every `--checkpoint` ms, and its state on the heap, and then
 * in RocksDB. It needs Java 17 and Maven, which builds it when it is first wanted.
 *
 * Left out: a network between machines, more than one broker, Redis. Broker, service and this process share the processors of one
 * machine; the broker does not flush to disk (Kafka's default).
 */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { partitionName } from '../src/runtime/ports/log.js';
import { startKafka } from '../test/harness/servers/index.js';
import { until } from '../test/harness/until.js';
import { bareConsume, fillTopic } from './kit/filled-topic.js';
import { FlinkPeer } from './kit/flink-peer.js';
import { cpuSeconds } from './kit/process-stat.js';
import { keyedAs, type RuleKind, ruleKinds } from './kit/rule-kind.js';
import { root, ServiceProcess } from './kit/service-process.js';

const TOPIC = 'transactions';
const TERMINALS = 10_000;
const RUN_MAX_MS = 300_000;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1500000' },
    partitions: { type: 'string', default: '4' },
    runs: { type: 'string', default: '3' },
    lanes: { type: 'string', default: '1,2' },
    rules: { type: 'string', default: 'own' },
    delivery: { type: 'string', default: 'exactly-once,at-least-once' },
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

interface ServiceRun {
  readonly name: string;
  readonly topic: string;
  readonly lanes: number;
  readonly delivery: string;
  readonly rule: RuleKind;
}

function configFolder({ name, topic, lanes, delivery, rule }: ServiceRun): string {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-throughput-'));
  mkdirSync(join(folder, 'patterns', 'w1'), { recursive: true });
  const w1 = readFileSync(join(root, 'bench', 'patterns', 'w1.yaml'), 'utf8');
  writeFileSync(join(folder, 'patterns', 'w1', 'pattern.yaml'), keyedAs(rule, w1, 'amount > 10000.0'));
  writeFileSync(
    join(folder, 'stakeout.yaml'),
    `patterns: ./patterns
streams:
  transactions:
    topic: ${topic}
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
async function rateOf(
  log: KafkaLog,
  { groupId, topic, pid }: { readonly groupId: string; readonly topic: string; readonly pid: number },
  hasEnded: (allCommitted: boolean) => Promise<boolean> | boolean = (allCommitted) => allCommitted,
): Promise<Measured> {
  const partitionsOfTopic = Array.from({ length: partitions }, (_, partition) => partitionName({ topic, partition }));
  const committed = async (): Promise<number> => {
    const offsets = await log.committed(groupId);
    return partitionsOfTopic.reduce((sum, name) => sum + (offsets.get(name) ?? 0), 0);
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
    return hasEnded((await committed()) >= events);
  };
  await until(isOver, 'all records', RUN_MAX_MS);
  const read = events - from;
  return { rate: (read * 1000) / (performance.now() - at), cpuMicros: ((cpu - cpuAt) * 1e6) / read };
}

async function serviceRate(log: KafkaLog, brokers: readonly string[], run: ServiceRun): Promise<Rate> {
  const { name, topic, rule } = run;
  if (rule !== 'own') await fillTopic(log, { topic, partitions, events, terminals: TERMINALS });
  const folder = configFolder(run);
  const service = ServiceProcess.start(join(folder, 'stakeout.yaml'), brokers);
  const allRead = async (): Promise<boolean> => {
    const owned = (await service.status()).detector?.partitions ?? [];
    return owned.length > partitions && owned.every(({ lag }) => lag === 0);
  };
  try {
    const group = { groupId: name, topic, pid: service.pid };
    const rate = await rateOf(log, group, async (all) => all && (rule === 'own' || (await allRead())));
    return { ...rate, alerts: await alertsOf(log, `alerts-${name}`) };
  } finally {
    await service.stop();
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
    const rate = await rateOf(log, { groupId: name, topic: TOPIC, pid: job.pid! }, (all) => {
      if (code !== null && code !== 0) throw new Error(`Flink ended with ${code}`);
      return all || code === 0;
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
    // All rules have records of one size.
    await fillTopic(log, { topic: TOPIC, partitions, events, terminals: values.rules === 'own' ? 0 : TERMINALS });
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
    for (const delivery of values.delivery.split(','))
      for (const lanes of lanesWanted)
        for (const rule of ruleKinds('rules', values.rules))
          add(
            await measured(`${delivery} ${rule}`, lanes, bare, (run) => {
              const name = `${delivery}-${rule}-${lanes}-${run}`;
              const topic = rule === 'own' ? TOPIC : `${TOPIC}-${name}`;
              return serviceRate(log, kafka.brokers, { name, topic, lanes, delivery, rule });
            }),
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
  return `${row.what.padEnd(22)} ${lanes.padEnd(8)} ${n(row.recordsPerSecond)}/s (${n(row.least)} to ${n(row.most)})  ${ratio}  ${cpu}  ${alerts}`;
}

await main();
