/**
 * Decisions under load: how long `POST /v1/decisions` takes while the stream flows.
 *
 *     npm run -s build && node --import ./test/harness/run-typescript.mjs bench/decisions.ts \
 *       [--asked 500] [--rate 1000] [--seconds 30] [--warmup 10] [--lanes auto] [--json]
 *
 * The service runs as its own process, as a user starts it, on a broker of its own, with the shipped patterns. This process sends records
 * at a steady rate, and asks at another: about accounts of the stream, over connections that are kept. The time counts from when a question
 * was *due*, not from when it was sent, so that a stall of this process is not hidden (no coordinated omission).
 *
 * Left out: a network, TLS, and questions to other instances. Broker, service, sender and asker share the processors of one machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { DemoGenerator } from '../src/service/demo/demo-generator.js';
import { startKafka } from '../test/harness/servers/index.js';
import { TOPIC, writeConfig } from './kit/config.js';
import { ServiceProcess } from './kit/service-process.js';
import { SteadySender } from './kit/steady-sender.js';
import { TransactionRecords } from './kit/transaction-records.js';

const PARTITIONS = 4;
const ACCOUNTS = 100_000;
const START_MAX_MS = 120_000;

const { values } = parseArgs({
  options: {
    asked: { type: 'string', default: '500' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '30' },
    warmup: { type: 'string', default: '10' },
    lanes: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
  },
});
const asked = Number(values.asked);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const warmup = Number(values.warmup);

const percentile = (sorted: Float64Array, p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)]!;

/** Asks at a steady rate; answers the times of those that were due after the warm-up, in ms, sorted. */
async function askAll(url: string): Promise<Float64Array> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const generator = new DemoGenerator({ seed: 11, accounts: ACCOUNTS });
  const times: number[] = [];
  const pending = new Set<Promise<void>>();
  const begin = performance.now();
  const count = asked * (warmup + seconds);
  for (let sent = 0; sent < count; ) {
    for (; sent < count; sent++) {
      const dueAt = begin + (sent * 1000) / asked;
      if (dueAt > performance.now()) break;
      const isMeasured = sent >= asked * warmup;
      const question = JSON.stringify({ ...generator.next(Date.now()), transactionId: `asked-${sent}` });
      const done = ask(`${url}/v1/decisions`, agent, question, isMeasured).then(() => {
        if (isMeasured) times.push(performance.now() - dueAt);
        pending.delete(done);
      });
      pending.add(done);
    }
    await sleep(1);
  }
  await Promise.all(pending);
  agent.destroy();
  return Float64Array.from(times).sort();
}

function ask(url: string, agent: Agent, body: string, isMeasured: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asking = request(url, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => {
        // While lanes share the partitions out, one may be nobody's for a moment.
        if (answer.statusCode === 200 || (!isMeasured && answer.statusCode === 503)) resolve();
        else reject(new Error(`a decision was answered with ${answer.statusCode}: ${text}`));
      });
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

async function main(): Promise<void> {
  const kafka = await startKafka({ own: true });
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-decisions-'));
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'decisions' });
  await log.createTopic({ name: TOPIC, partitions: PARTITIONS });
  const config = writeConfig({
    ...{ folder, shipped: true, patterns: {}, partitions: PARTITIONS },
    ...{ mode: 'arrival', logLevel: 'warn' },
    settings: [`lanes: ${values.lanes}`],
  });
  const service = ServiceProcess.start(config, kafka.brokers);
  try {
    await service.isLive(PARTITIONS, 0, START_MAX_MS);
    const producer = await log.producer();
    const records = new TransactionRecords();
    const generator = new DemoGenerator({ seed: 7, accounts: ACCOUNTS });
    const sender = new SteadySender(producer, rate, (number) =>
      records.record({ ...generator.next(Date.now()), transactionId: `t${number}` }),
    );
    const sending = rate > 0 ? sender.run() : Promise.resolve(0);
    const sorted = await askAll(await service.listens());
    sender.stop();
    await sending;
    await producer.close();
    show(sorted);
  } finally {
    await service.stop();
    await log.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function show(sorted: Float64Array): void {
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((p) => percentile(sorted, p)) as [number, number, number];
  const result = { asked, rate, seconds, decisions: sorted.length, p50, p99, p999, longest: sorted.at(-1)! };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const ms = (n: number): string => `${n.toFixed(2)} ms`;
  const times = `p50 ${ms(p50)}, p99 ${ms(p99)}, p99.9 ${ms(p999)}, longest ${ms(sorted.at(-1)!)}`;
  process.stdout.write(`${sorted.length} decisions at ${asked}/s beside ${rate} records/s: ${times}\n`);
}

await main();
