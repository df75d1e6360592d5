/**
 * A sink whose server is away: what detection notices of it, and how long the backlog takes when the server is back.
 *
 *     npm run -s build && node --import ./test/harness/run-typescript.mjs bench/sink-outage.ts \
 *       [--rate 5000] [--warmup 15] [--before 30] [--outage 300] [--after 60] [--every 50] [--json]
 *
 * Kafka, OpenSearch and the service run as processes of their own; the service has a sink of type elasticsearch, that reaches
 * OpenSearch by way of a proxy here. Records are sent at a steady rate throughout. Latency is that of `bench/latency.ts`: from when a
 * record was due to be sent until its alert can be read, committed, from the alerts topic; once for the time before, during and
 * after the outage. Then the backlog is waited for, and the documents in OpenSearch are counted against the alerts of the topic.
 *
 * Left out: a network between the machines. Everything shares the processors of one machine; that OpenSearch does nothing while it is
 * away leaves more of them to detection, and that it catches up afterwards leaves less.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { DemoGenerator } from '../src/service/demo/demo-generator.js';
import { startKafka, startOpenSearch } from '../test/harness/servers/index.js';
import { TcpProxy } from '../test/harness/tcp-proxy.js';
import { until } from '../test/harness/until.js';
import { AlertReader } from './kit/alert-reader.js';
import { MARK, MARKED_PATTERN, TOPIC, writeConfig } from './kit/config.js';
import { ServiceProcess } from './kit/service-process.js';
import { SteadySender } from './kit/steady-sender.js';
import { TransactionRecords } from './kit/transaction-records.js';

const PARTITIONS = 4;
const ACCOUNTS = 100_000;
const START_MAX_MS = 120_000;
const DRAIN_MAX_MS = 600_000;
const PHASES = ['before', 'outage', 'after'] as const;
type Phase = (typeof PHASES)[number];

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '5000' },
    warmup: { type: 'string', default: '15' },
    before: { type: 'string', default: '30' },
    outage: { type: 'string', default: '300' },
    after: { type: 'string', default: '60' },
    every: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
  },
});
const rate = Number(values.rate);
const every = Number(values.every);
const warmup = Number(values.warmup);
const seconds: Readonly<Record<Phase, number>> = {
  before: Number(values.before),
  outage: Number(values.outage),
  after: Number(values.after),
};

interface Times {
  readonly alerts: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface Result {
  readonly rate: number;
  readonly outageSeconds: number;
  readonly latency: Readonly<Record<Phase, Times>>;
  /** Alerts that waited when the server came back. */
  readonly backlog: number;
  /** From then until none waited any more, with records coming in all the while. */
  readonly drainedAfterSeconds: number;
  readonly alertsInTopic: number;
  readonly documents: number;
  /** Of the last minute, at the end of each phase. */
  readonly loadAverage: readonly number[];
}

/** By which second of the run a phase is over. */
function endOf(phase: Phase): number {
  const until = PHASES.slice(0, PHASES.indexOf(phase) + 1);
  return until.reduce((sum, each) => sum + seconds[each], warmup);
}

interface SinkNow {
  readonly name: string;
  readonly trouble: string | null;
  readonly lag: number;
}

async function sinkOf(service: ServiceProcess): Promise<SinkNow> {
  const { sinks } = (await service.status()) as unknown as { readonly sinks: readonly SinkNow[] };
  return sinks.find(({ name }) => name === 'search')!;
}

async function run(): Promise<Result> {
  const [kafka, search] = await Promise.all([startKafka({ own: true }), startOpenSearch({ own: true })]);
  const { proxy, url } = await TcpProxy.before(search.url);
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-outage-'));
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'outage' });
  for (const name of [TOPIC, 'alerts']) await log.createTopic({ name, partitions: PARTITIONS });
  const config = writeConfig({
    ...{ folder, shipped: true, patterns: { marked: MARKED_PATTERN }, partitions: PARTITIONS },
    ...{ mode: 'arrival', logLevel: 'warn' },
    settings: [`sinks: { search: { type: elasticsearch, urls: ['${url}'], replicas: 0 } }`],
  });
  const service = ServiceProcess.start(config, kafka.brokers);
  try {
    await service.isLive(PARTITIONS, 0, START_MAX_MS);
    return await measure(log, service, proxy, search.url);
  } catch (error) {
    // What ends beside it complains too, and may be heard first.
    process.stderr.write(`${(error as Error).stack}\n`);
    throw error;
  } finally {
    await service.stop();
    await log.close();
    await proxy.close();
    await Promise.all([kafka.stop(), search.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(log: KafkaLog, service: ServiceProcess, proxy: TcpProxy, search: string): Promise<Result> {
  const due = new Map<string, { readonly phase: Phase; readonly at: number }>();
  const latencies: Record<Phase, number[]> = { before: [], outage: [], after: [] };
  const loadAverage: number[] = [];
  const reader = new AlertReader(log, PARTITIONS, 'marked', (id, at) => {
    const record = due.get(id);
    if (record !== undefined) latencies[record.phase].push(at - record.at);
  });
  const producer = await log.producer();
  const records = new TransactionRecords();
  const generator = new DemoGenerator({ seed: 7, accounts: ACCOUNTS });
  const phaseAt = (second: number): Phase | null =>
    second < warmup ? null : (PHASES.find((phase) => second < endOf(phase)) ?? null);
  const sender = new SteadySender(producer, rate, (number, dueAt) => {
    const phase = phaseAt(number / rate);
    const marked = number % every === 0;
    const transactionId = `t${number}`;
    if (marked && phase !== null) due.set(transactionId, { phase, at: dueAt });
    return records.record({ ...generator.next(Date.now()), transactionId, ...(marked ? { amount: MARK } : {}) });
  });
  const begin = performance.now();
  const second = (n: number, what: string) =>
    until(() => performance.now() - begin >= n * 1_000, what, (n + 60) * 1_000).then(() =>
      loadAverage.push(loadavg()[0]!),
    );
  const sending = sender.run(rate * endOf('after'));
  await second(endOf('before'), 'the outage to begin');
  proxy.cut();
  await second(endOf('outage'), 'the outage to end');
  const { lag: backlog, trouble } = await sinkOf(service);
  if (trouble === null) throw new Error('the sink did not notice that its server is away');
  proxy.mend();
  const back = performance.now();
  const isDrained = async () => (await sinkOf(service)).lag <= rate / every;
  const drained = until(isDrained, 'the backlog to be written', DRAIN_MAX_MS).then(() => performance.now() - back);
  await sending;
  loadAverage.push(loadavg()[0]!);
  const drainedAfterSeconds = (await drained) / 1_000;
  const seen = () => PHASES.reduce((sum, phase) => sum + latencies[phase].length, 0);
  await until(
    () => seen() >= due.size,
    () => `${due.size - seen()} alerts`,
    60_000,
  );
  await reader.stop();
  await producer.close();
  await until(async () => (await sinkOf(service)).lag === 0, 'the last alerts to be written', DRAIN_MAX_MS);
  const alertsInTopic = (await service.status()).detector!.alerts;
  return {
    ...{ rate, outageSeconds: seconds.outage, backlog, drainedAfterSeconds, loadAverage, alertsInTopic },
    latency: { before: timesOf(latencies.before), outage: timesOf(latencies.outage), after: timesOf(latencies.after) },
    documents: await countOf(search),
  };
}

async function countOf(search: string): Promise<number> {
  await fetch(`${search}/stakeout-alerts-*/_refresh`, { method: 'POST' });
  const answer = await fetch(`${search}/stakeout-alerts-*/_count`);
  return ((await answer.json()) as { readonly count: number }).count;
}

function timesOf(latencies: readonly number[]): Times {
  const sorted = Float64Array.from(latencies).sort();
  const percentile = (p: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)]!;
  return { alerts: sorted.length, p50Ms: percentile(0.5), p99Ms: percentile(0.99), maxMs: sorted.at(-1)! };
}

function shown(result: Result): string {
  const times = PHASES.map((phase) => {
    const { alerts, p50Ms, p99Ms, maxMs } = result.latency[phase];
    return `${phase}: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, longest ${maxMs.toFixed(0)} ms (${alerts} alerts)`;
  });
  const { backlog, drainedAfterSeconds, documents, alertsInTopic, loadAverage } = result;
  return [
    `${result.rate} records/s, server away for ${result.outageSeconds} s`,
    ...times,
    `backlog ${backlog} alerts, drained ${drainedAfterSeconds.toFixed(1)} s after the server was back`,
    `${documents} documents for ${alertsInTopic} alerts`,
    `load average ${loadAverage.map((load) => load.toFixed(1)).join(', ')}\n`,
  ].join('\n');
}

const result = await run();
process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : shown(result));
