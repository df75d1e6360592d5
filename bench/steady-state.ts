/**
 * The service at a steady rate: bytes written to disk and to the broker for each event, memory and lag over time. With
 * `--seconds 3600` it is the soak.
 *
 *     npm run -s build && node --import ./test/harness/run-typescript.mjs bench/steady-state.ts \
 *       [--rate 5000] [--seconds 120] [--warmup 20] [--accounts 100000] [--partitions 4] [--lanes 2] \
 *       [--within 5m] [--delivery exactly-once] [--checkpoint 30s | none] [--changelog 50000] [--every-second FILE] [--json]
 *
 * The service runs as its own process with the shipped patterns and one of a count and a sum over 5 min, at every event, in event
 * time, 5 s out of order at most; checkpoints go to a folder. `--within`: no pattern waits for longer, so that state reaches its full size within the run;
 * as they are, some wait for a day or a month. This process sends the demo's transactions. After the warm-up it looks each
 * second, and reports for the `--seconds` after it:
 *
 *     disk     bytes an event: `state`, files of RocksDB (write-ahead log, tables, compaction); `checkpoints`; `kernel`, all that the
 *              process had the kernel write, in whole pages. Files are looked at once a second: what came and went meanwhile is missed.
 *     broker   bytes an event that the broker stored, by topic, as it stores them (framing and control records included, replication
 *              not): alerts, journal, late events, dead letters, offsets, the transactions' own state. All that is sent to it, but requests.
 *     full changelog   what a topic with every change of every key's state would take instead: the records of one partition are run
 *              again in this process, one at a time, and after each the changed keys and the bytes of their states, as they would be
 *              stored, are summed up (`--changelog` records; as many before them are only run). Without framing, batching, compression or
 *              caching, and without the local store that such a design has beside it. 0: not computed.
 *     memory   resident memory of the process in the first and in the last tenth of the time, and the most; and of it what keys hold
 *              outside the heap, which grows until the longest windows of features are full
 *     lag      records in the topic, as the broker says, that are not taken in yet: the same; growing when the last tenth is a second's records above the first
 *
 * Left out: a network, replication, Redis, whoever reads alerts. Broker, service and this process share the processors of one machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import type { Log } from '../src/runtime/ports/log.js';
import { DemoGenerator } from '../src/service/demo/demo-generator.js';
import { startKafka } from '../test/harness/servers/index.js';
import { TOPIC, writeConfig } from './kit/config.js';
import { FolderGrowth, segmentsOf } from './kit/folder-growth.js';
import { type Changelog, fullChangelog } from './kit/full-changelog.js';
import { processStat } from './kit/process-stat.js';
import { ServiceProcess } from './kit/service-process.js';
import { SteadySender } from './kit/steady-sender.js';
import { TransactionRecords } from './kit/transaction-records.js';

const START_MAX_MS = 120_000;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '120' },
    warmup: { type: 'string', default: '20' },
    accounts: { type: 'string', default: '100000' },
    partitions: { type: 'string', default: '4' },
    lanes: { type: 'string', default: '2' },
    delivery: { type: 'string', default: 'exactly-once' },
    within: { type: 'string' },
    checkpoint: { type: 'string', default: '30s' },
    changelog: { type: 'string', default: '50000' },
    'every-second': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [rate, seconds, warmup, partitions] = [values.rate, values.seconds, values.warmup, values.partitions].map(
  Number,
) as [number, number, number, number];

const VELOCITY_PATTERN = `id: velocity
title: A busy account
key: accountId
features:
  - name: recentCount
    count: true
    over: 5m
  - name: recentSum
    sum: amount
    over: 5m
pattern:
  - begin: busy
    where: recentCount >= 1000 || recentSum > 10000000.0
alert:
  severity: low
  message: "busy"
`;

interface Sample {
  readonly second: number;
  readonly rssMb: number;
  /** Of it, what keys hold outside the heap: their windows, cold states and tables. */
  readonly keysMb: number;
  readonly lag: number;
  readonly recordsIn: number;
  readonly alerts: number;
  readonly keys: number;
  readonly kernelBytes: number;
  readonly bytes: Readonly<Record<string, number>>;
}

interface Trend {
  readonly first: number;
  readonly last: number;
  readonly most: number;
}

const DISK = ['state', 'checkpoints'];

function growthOf(folder: string, kafka: string): FolderGrowth {
  const topic = (name: string) => segmentsOf(kafka, [name]);
  return new FolderGrowth({
    state: [join(folder, 'data', 'state', '**', '*')],
    checkpoints: [join(folder, 'checkpoints', '**', '*')],
    alerts: topic('alerts'),
    journal: topic('stakeout-journal'),
    late: topic('late'),
    deadLetters: topic('dead-letters'),
    offsets: topic('__consumer_offsets'),
    transactionState: topic('__transaction_state'),
    routes: topic(`${TOPIC}-by-*`),
  });
}

interface Watched {
  readonly service: ServiceProcess;
  readonly log: Log;
  readonly growth: FolderGrowth;
}

async function sample({ service, log, growth }: Watched, second: number): Promise<Sample> {
  const { detector } = await service.status();
  const stat = processStat(service.pid);
  const sum = (of: 'position' | 'keys') => detector!.partitions.reduce((total, partition) => total + partition[of], 0);
  // The broker is asked: what the service knows of the end is as old as its last fetch.
  const ends = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => log.offsets({ topic: TOPIC, partition })),
  );
  const lag = ends.reduce((total, { end }) => total + end, 0) - sum('position');
  return {
    ...{ second, rssMb: stat.rssBytes / 2 ** 20, lag, keys: sum('keys') },
    keysMb:
      detector!.partitions.reduce((total, { memory }) => total + memory.coldBytes + memory.tableBytes, 0) / 2 ** 20,
    ...{ recordsIn: detector!.recordsIn, alerts: detector!.alerts },
    ...{ kernelBytes: stat.writtenBytes, bytes: growth.bytes() },
  };
}

/** A sample a second, the first before the first second. */
async function measure(watched: Watched): Promise<Sample[]> {
  const samples: Sample[] = [];
  const begin = performance.now();
  for (let second = 0; second <= seconds; second++) {
    await sleep(Math.max(0, begin + second * 1000 - performance.now()));
    samples.push(await sample(watched, second));
  }
  return samples;
}

function trendOf(numbers: readonly number[]): Trend {
  const tenth = Math.max(1, Math.floor(numbers.length / 10));
  const mean = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0) / some.length;
  return { first: mean(numbers.slice(0, tenth)), last: mean(numbers.slice(-tenth)), most: Math.max(...numbers) };
}

function reportOf(samples: readonly Sample[], changelog: Changelog | null) {
  const [from, to] = [samples[0]!, samples.at(-1)!];
  const events = to.recordsIn - from.recordsIn;
  const each = (bytes: number): number => bytes / events;
  const all = Object.fromEntries(Object.keys(to.bytes).map((k) => [k, each(to.bytes[k]! - from.bytes[k]!)]));
  const disk = { ...pick(all, (k) => DISK.includes(k)), kernel: each(to.kernelBytes - from.kernelBytes) };
  const broker = pick(all, (k) => !DISK.includes(k));
  const lag = trendOf(samples.map((s) => s.lag));
  return {
    ...{ rate, seconds, delivery: values.delivery, lanes: values.lanes, partitions, checkpoint: values.checkpoint },
    ...{ events, eventsPerSecond: events / seconds, alerts: to.alerts - from.alerts, keys: to.keys },
    diskBytesAnEvent: disk,
    brokerBytesAnEvent: { ...broker, total: total(broker) },
    fullChangelog: changelog && {
      ...changelog,
      changesAnEvent: changelog.changes / changelog.records,
      bytesAChange: changelog.bytes / changelog.changes,
      bytesAnEvent: changelog.bytes / changelog.records,
      /** It, to what leaves the machine here: the topics, and checkpoints. */
      timesSent: changelog.bytes / changelog.records / (total(broker) + all.checkpoints!),
      /** And to what is written to the state folder. */
      timesState: changelog.bytes / changelog.records / all.state!,
    },
    memoryMb: trendOf(samples.map((s) => s.rssMb)),
    keysMb: trendOf(samples.map((s) => s.keysMb)),
    lag,
    lagGrows: lag.last > lag.first + rate,
  };
}

const pick = (from: Readonly<Record<string, number>>, which: (key: string) => boolean): Record<string, number> =>
  Object.fromEntries(Object.entries(from).filter(([key]) => which(key)));
const total = (of: Readonly<Record<string, number>>): number => Object.values(of).reduce((a, b) => a + b, 0);

function shown(report: ReturnType<typeof reportOf>): string {
  const n = (x: number): string => x.toLocaleString('en-US', { maximumFractionDigits: x < 100 ? 1 : 0 });
  const list = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([key, value]) => `${key} ${n(value)}`)
      .join(', ');
  const trend = ({ first, last, most }: Trend): string =>
    `${n(first)} in the first tenth, ${n(last)} in the last, ${n(most)} at most`;
  const { fullChangelog: full } = report;
  return [
    `${n(report.events)} events in ${seconds} s (${n(report.eventsPerSecond)}/s), ${report.delivery}, ${report.alerts} alerts, ${n(report.keys)} keys`,
    `disk, bytes an event     ${list(report.diskBytesAnEvent)}`,
    `broker, bytes an event   ${list(report.brokerBytesAnEvent)}`,
    full === null
      ? 'full changelog           not computed'
      : `full changelog           ${n(full.bytesAnEvent)} bytes an event: ${full.changesAnEvent.toFixed(2)} changes of ${n(full.bytesAChange)} bytes; ${full.timesSent.toFixed(1)} times topics and checkpoints, ${full.timesState.toFixed(1)} times the state folder`,
    `memory, MiB              ${trend(report.memoryMb)}`,
    `of it keys, outside heap ${trend(report.keysMb)}`,
    `lag, records             ${trend(report.lag)}: ${report.lagGrows ? 'growing' : 'flat'}`,
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const kafka = await startKafka({ own: true });
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-steady-'));
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'steady-state' });
  const checkpoint = `checkpoint: { to: directory, directory: ${join(folder, 'checkpoints')}, interval: ${values.checkpoint} }`;
  const config = writeConfig({
    ...{ folder, shipped: true, within: values.within, patterns: { velocity: VELOCITY_PATTERN }, partitions },
    ...{ mode: 'event-time', logLevel: 'warn' },
    settings: [
      `lanes: ${values.lanes}`,
      `delivery: ${values.delivery}`,
      ...(values.checkpoint === 'none' ? [] : [checkpoint]),
    ],
  });
  await log.createTopic({ name: TOPIC, partitions });
  const service = ServiceProcess.start(config, kafka.brokers);
  try {
    await service.isLive(partitions, 0, START_MAX_MS);
    const samples = await whileSending(log, async () => {
      await sleep(warmup * 1000);
      return measure({ service, log, growth: growthOf(folder, kafka.dir!) });
    });
    await service.stop();
    const count = Number(values.changelog);
    const full = { topic: TOPIC, partition: 0 };
    const changelog = count === 0 ? null : await fullChangelog(config, log, full, { warm: count, count });
    const report = reportOf(samples, changelog?.records === 0 ? null : changelog);
    const file = values['every-second'];
    if (file !== undefined) writeFileSync(file, samples.map((s) => `${JSON.stringify(s)}\n`).join(''));
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : shown(report));
  } finally {
    await service.stop();
    await log.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function whileSending<T>(log: KafkaLog, act: () => Promise<T>): Promise<T> {
  const producer = await log.producer();
  const records = new TransactionRecords();
  const generator = new DemoGenerator({ seed: 7, accounts: Number(values.accounts) });
  const sender = new SteadySender(producer, rate, () => records.record(generator.next(Date.now())));
  const sending = sender.run();
  // Whoever awaits it gets the error.
  sending.catch(() => undefined);
  try {
    return await act();
  } finally {
    sender.stop();
    await sending;
    await producer.close();
  }
}

await main();
