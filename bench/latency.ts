/**
 * Kafka to alert: how long after a record was due to be sent its alert can be read from the alerts topic.
 *
 *     npm run -s bench:latency -- [--rate 5000] [--seconds 30] [--warmup 10] [--every 50] [--json]
 *
 * The service runs as its own process, as a user starts it, with the shipped patterns and one more that fires on every
 * `--every`-th record. This process sends at a steady rate and reads the alerts. The time counts from when a record was *due*,
 * not from when it was sent, so a stall of the sender is not hidden (no coordinated omission).
 *
 * Left out: Redis and HTTP consumers of the alerts, a network between the machines, more than one broker. The broker, the service, the
 * sender and the reader share the processors of one machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AlertCodec } from '../src/connectors/avro/alert-codec.js';
import { readAvroSchema } from '../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import type { OutgoingRecord } from '../src/runtime/ports/log.js';
import { DemoGenerator } from '../src/service/demo/demo-generator.js';
import { startKafka } from '../test/harness/servers/index.js';
import { until } from '../test/harness/until.js';

const root = join(import.meta.dirname, '..');
const PARTITIONS = 4;
const ACCOUNTS = 100_000;
const MARK = 7_777_777;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '30' },
    warmup: { type: 'string', default: '10' },
    every: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
  },
});
const [rate, seconds, warmup, every] = [values.rate, values.seconds, values.warmup, values.every].map(Number) as [
  number,
  number,
  number,
  number,
];

const PATTERN = `id: marked
title: A marked record
key: accountId
within: 1s
pattern:
  - begin: marked
    where: amount == ${MARK}.0
alert:
  severity: low
  score: 1
  message: "marked"
`;

function configFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-latency-'));
  cpSync(join(root, 'patterns'), join(folder, 'patterns'), { recursive: true });
  mkdirSync(join(folder, 'patterns', 'marked'));
  writeFileSync(join(folder, 'patterns', 'marked', 'pattern.yaml'), PATTERN);
  writeFileSync(
    join(folder, 'stakeout.yaml'),
    `patterns: ./patterns
streams:
  transactions:
    topic: transactions
    schema: ${join(root, 'schemas', 'transaction.avsc')}
    key: accountId
    time: eventTime
    id: transactionId
    type: type
    mode: arrival
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

const percentile = (sorted: Float64Array, p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)]!;

async function main(): Promise<void> {
  const kafka = await startKafka({ own: true });
  const folder = configFolder();
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'latency' });
  await log.createTopic({ name: 'transactions', partitions: PARTITIONS });
  await log.createTopic({ name: 'alerts', partitions: PARTITIONS });
  const service = startService(kafka.brokers, folder);
  try {
    await until(async () => (await log.committed('stakeout')).size === PARTITIONS, 'the service to own its partitions');
    report(await measure(log));
  } finally {
    service.kill('SIGTERM');
    await once(service, 'exit');
    await log.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(log: KafkaLog): Promise<Float64Array> {
  const due = new Map<string, number>();
  const latencies: number[] = [];
  const stop = new AbortController();
  const codec = new AlertCodec();
  const follow = async (partition: number): Promise<void> => {
    for await (const batch of log.read({ topic: 'alerts', partition }, 0, { follow: true, signal: stop.signal })) {
      const now = performance.now();
      for (const record of batch.records) {
        const alert = codec.decode(record.value!);
        const at = alert.patternId === 'marked' ? due.get(alert.steps[0]!.events[0]!.id) : undefined;
        if (at !== undefined) latencies.push(now - at);
      }
    }
  };
  const readers = Array.from({ length: PARTITIONS }, (_, p) =>
    follow(p).catch((error: Error) => stop.signal.aborted || Promise.reject(error)),
  );
  await sendAll(log, due);
  await until(
    () => latencies.length >= due.size,
    () => `${due.size - latencies.length} alerts`,
    30_000,
  );
  stop.abort();
  await Promise.all(readers);
  return Float64Array.from(latencies).sort();
}

/** Sends at the rate, in ticks of a millisecond; marks what is sent after the warm-up. */
async function sendAll(log: KafkaLog, due: Map<string, number>): Promise<void> {
  const producer = await log.producer();
  const schema = readAvroSchema(join(root, 'schemas', 'transaction.avsc'));
  const encoder = new TransactionEncoder(schema);
  const generator = new DemoGenerator({ seed: 7, accounts: ACCOUNTS });
  const begin = performance.now() + 100;
  const total = rate * (warmup + seconds);
  const pending: Promise<void>[] = [];
  for (let sent = 0; sent < total; ) {
    const now = performance.now();
    const records: OutgoingRecord[] = [];
    for (; sent < total && begin + (sent * 1000) / rate <= now; sent++) {
      const marked = sent >= rate * warmup && sent % every === 0;
      const made = generator.next(Date.now());
      const transaction = { ...made, transactionId: `t${sent}`, ...(marked ? { amount: MARK } : {}) };
      if (marked) due.set(transaction.transactionId, begin + (sent * 1000) / rate);
      const value = encoder.encode(transaction);
      if (!value.ok) throw new Error(JSON.stringify(value.errors));
      records.push({ topic: 'transactions', key: Buffer.from(transaction.accountId), value: value.bytes });
    }
    if (records.length > 0) pending.push(producer.send(records));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  await producer.close();
}

function report(sorted: Float64Array): void {
  const result = {
    rate,
    seconds,
    alerts: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    maxMs: sorted.at(-1)!,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const ms = (n: number): string => `${n.toFixed(1)} ms`;
    process.stdout.write(
      `${rate} records/s for ${seconds} s, ${sorted.length} alerts: p50 ${ms(result.p50Ms)}, p99 ${ms(result.p99Ms)}, p99.9 ${ms(result.p999Ms)}, longest ${ms(result.maxMs)}\n`,
    );
  }
}

await main();
