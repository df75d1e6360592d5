/**
 * Kafka to alert: how long after a record was due to be sent its alert can be read from the alerts topic.
 *
 *     npm run -s bench:latency -- [--rate 5000] [--seconds 30] [--warmup 10] [--every 50] \
 *       [--delivery exactly-once,at-least-once] [--rules own,terminal,feature] [--lanes auto] [--interval 100ms] [--backtests] \
 *       [--history 500000] [--json]
 *
 * The service runs as its own process, as a user starts it, with the shipped patterns and one more that fires on every
 * `--every`-th record; once for each delivery mode, with a broker of its own. This process sends at a steady rate and reads the
 * alerts, committed ones alone (read_committed). The time counts from when a record was *due*, not from when it was sent, so a stall
 * of the sender is not hidden (no coordinated omission). `--interval`: of commits, which exactly-once waits for.
 *
 * `--rules`: how that one pattern is keyed; by the topic's key (`own`), by another (`terminal`), or by the topic's with a feature of another
 * (`feature`). Each is measured by itself.
 *
 * `--backtests`: meanwhile the service runs back-tests of the same topic, with its own rules, one after the other, in their process;
 * `--history` records are in the topic before, so that each takes a while.
 *
 * Left out: Redis and HTTP consumers of the alerts, a network between the machines, more than one broker. The broker, the service, the
 * sender and the reader share the processors of one machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { DemoGenerator } from '../src/service/demo/demo-generator.js';
import { startKafka } from '../test/harness/servers/index.js';
import { until } from '../test/harness/until.js';
import { AlertReader } from './kit/alert-reader.js';
import { MARK, MARKED, MARKED_PATTERN, TOPIC, writeConfig } from './kit/config.js';
import { keyedAs, type RuleKind, ruleKinds } from './kit/rule-kind.js';
import { ServiceProcess } from './kit/service-process.js';
import { SteadySender } from './kit/steady-sender.js';
import { TransactionRecords } from './kit/transaction-records.js';

const PARTITIONS = 4;
const ACCOUNTS = 100_000;
const TERMINALS = 1000;
const START_MAX_MS = 120_000;
const FILL_AT_ONCE = 5000;
const MODES = ['exactly-once', 'at-least-once'] as const;
type Mode = (typeof MODES)[number];

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '30' },
    warmup: { type: 'string', default: '10' },
    every: { type: 'string', default: '50' },
    delivery: { type: 'string', default: MODES.join(',') },
    rules: { type: 'string', default: 'own' },
    lanes: { type: 'string', default: 'auto' },
    interval: { type: 'string', default: '100ms' },
    backtests: { type: 'boolean', default: false },
    history: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const [rate, seconds, warmup, every] = [values.rate, values.seconds, values.warmup, values.every].map(Number) as [
  number,
  number,
  number,
  number,
];

interface Result {
  readonly delivery: Mode;
  readonly rule: RuleKind;
  readonly lanes: string;
  readonly commitInterval: string;
  readonly rate: number;
  readonly seconds: number;
  readonly alerts: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Back-tests that ended meanwhile, and the events that they read; `null`: none were asked for. */
  readonly backtests: Beside | null;
}

interface Beside {
  readonly ended: number;
  readonly events: number;
}

const percentile = (sorted: Float64Array, p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)]!;

/** One mode, with a broker of its own: what one leaves behind must not slow the next. */
async function run(delivery: Mode, rule: RuleKind): Promise<Result> {
  const kafka = await startKafka({ own: true });
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-latency-'));
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'latency' });
  await log.createTopic({ name: TOPIC, partitions: PARTITIONS });
  await log.createTopic({ name: 'alerts', partitions: PARTITIONS });
  const config = writeConfig({
    ...{ folder, shipped: true, patterns: { marked: keyedAs(rule, MARKED_PATTERN, MARKED) }, partitions: PARTITIONS },
    ...{ mode: 'arrival', logLevel: 'warn' },
    settings: [`delivery: ${delivery}`, `lanes: ${values.lanes}`, `commit: { interval: ${values.interval} }`],
  });
  await fill(log, Number(values.history));
  const service = ServiceProcess.start(config, kafka.brokers);
  try {
    // How far it is behind is only known once it reads.
    const hasRead = async () => ((await service.status()).detector?.recordsIn ?? 0) >= Number(values.history) || null;
    await until(hasRead, 'the history to be read', START_MAX_MS);
    await service.isLive(PARTITIONS, 0, START_MAX_MS);
    const stopped = new AbortController();
    const beside = values.backtests ? backtests(await service.listens(), stopped.signal) : Promise.resolve(null);
    const sorted = await measure(log);
    stopped.abort();
    return resultOf(delivery, rule, sorted, await beside);
  } finally {
    await service.stop();
    await log.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was there before. */
async function fill(log: KafkaLog, count: number): Promise<void> {
  const producer = await log.producer();
  const records = new TransactionRecords();
  const generator = new DemoGenerator({ seed: 8, accounts: ACCOUNTS });
  for (let from = 0; from < count; from += FILL_AT_ONCE) {
    const some = Array.from({ length: Math.min(FILL_AT_ONCE, count - from) }, (_, i) =>
      records.record({ ...generator.next(Date.now()), transactionId: `h${from + i}` }),
    );
    await producer.send(some);
  }
  await producer.close();
}

/** Asks for one after the other, until it is stopped. */
async function backtests(url: string, stopped: AbortSignal): Promise<Beside> {
  let [ended, events] = [0, 0];
  while (!stopped.aborted) {
    const body = JSON.stringify({ title: `${ended}` });
    const headers = { 'content-type': 'application/json' };
    const asked = await fetch(`${url}/v1/backtests`, { method: 'POST', headers, body });
    if (asked.status !== 202) throw new Error(`a back-test was refused: ${await asked.text()}`);
    const { id } = (await asked.json()) as { id: string };
    const job = await until(
      async () => {
        if (stopped.aborted) return CUT_OFF;
        const now = (await (await fetch(`${url}/v1/backtests/${id}`)).json()) as Job;
        return now.endedAt === null ? undefined : now;
      },
      'a back-test to end',
      START_MAX_MS,
    );
    if (job === CUT_OFF) break;
    const { state, error, summary } = job as Job;
    if (state !== 'done') throw new Error(`a back-test ${state}: ${error}`);
    ended++;
    events += summary!.events;
  }
  return { ended, events };
}

interface Job {
  readonly state: string;
  readonly endedAt: string | null;
  readonly error: string | null;
  readonly summary: { readonly events: number } | null;
}

const CUT_OFF = 'cut off';

async function measure(log: KafkaLog): Promise<Float64Array> {
  const due = new Map<string, number>();
  const latencies: number[] = [];
  const onAlert = (id: string, at: number): void => {
    const dueAt = due.get(id);
    if (dueAt !== undefined) latencies.push(at - dueAt);
  };
  // What the history gave is not read: it would hold up what is measured.
  const ends = await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => (await log.offsets({ topic: 'alerts', partition })).end),
  );
  const reader = new AlertReader(log, PARTITIONS, 'marked', onAlert, ends);
  await sendAll(log, due);
  await until(
    () => latencies.length >= due.size,
    () => `${due.size - latencies.length} alerts`,
    START_MAX_MS,
  );
  await reader.stop();
  return Float64Array.from(latencies).sort();
}

/** Sends at the rate; marks some of what is sent after the warm-up, and notes when each of those was due. */
async function sendAll(log: KafkaLog, due: Map<string, number>): Promise<void> {
  const producer = await log.producer();
  const records = new TransactionRecords();
  const generator = new DemoGenerator({ seed: 7, accounts: ACCOUNTS });
  const sender = new SteadySender(producer, rate, (number, dueAt) => {
    const marked = number >= rate * warmup && number % every === 0;
    const transactionId = `t${number}`;
    const terminalId = `pos-${number % TERMINALS}`;
    if (marked) due.set(transactionId, dueAt);
    return records.record({
      ...generator.next(Date.now()),
      transactionId,
      ...(marked ? { amount: MARK, terminalId } : {}),
    });
  });
  await sender.run(rate * (warmup + seconds));
  await producer.close();
}

function resultOf(delivery: Mode, rule: RuleKind, sorted: Float64Array, beside: Beside | null): Result {
  return {
    ...{ delivery, rule, lanes: values.lanes, commitInterval: values.interval, rate, seconds, alerts: sorted.length },
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    maxMs: sorted.at(-1)!,
    backtests: beside,
  };
}

function shown({ delivery, rule, alerts, p50Ms, p99Ms, p999Ms, maxMs, backtests: beside }: Result): string {
  const ms = (n: number): string => `${n.toFixed(1)} ms`;
  const times = `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, p99.9 ${ms(p999Ms)}, longest ${ms(maxMs)}`;
  const meanwhile = beside === null ? '' : `, beside back-tests (${beside.ended} ended, of ${beside.events} events)`;
  return `${delivery}, ${rule}, ${rate} records/s for ${seconds} s, ${alerts} alerts: ${times}${meanwhile}\n`;
}

async function main(): Promise<void> {
  const wanted = values.delivery.split(',').map((name) => {
    const mode = MODES.find((one) => one === name);
    if (mode === undefined) throw new Error(`--delivery: ${name} is none of ${MODES.join(', ')}`);
    return mode;
  });
  const results: Result[] = [];
  for (const mode of wanted)
    for (const rule of ruleKinds('rules', values.rules)) {
      const result = await run(mode, rule);
      results.push(result);
      if (!values.json) process.stdout.write(shown(result));
    }
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
}

await main();
