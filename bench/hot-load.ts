/**
 * Hot load: one rule of many is changed while the service runs at a steady rate on Kafka.
 *
 *     npm run -s build && node --import ./test/harness/run-typescript.mjs bench/hot-load.ts [--rules 500] [--rate 5000] [--seconds 20] [--delivery exactly-once]
 *
 * The service runs as its own process with so many sequence rules. One more fires on every 50th record all the time: its alerts show
 * whether output stands still. In the middle, one rule is changed with `POST /v1/rules/apply`, which sends the whole set. `effectMs`: from
 * the call until the journal of every partition can be read to say that the new rules are in force. `gapMs`: the longest time in which no alert
 * could be read, in the five seconds before the call, and from the call until five seconds after the last partition has the new rules; `lateMs`: the longest time from when a record was due until
 * its alert could be read. Afterwards `stakeout verify` replays all records under the journal: alerts missing, unexpected, and repeated.
 *
 * Left out: large state (keys are those of 100,000 accounts), more processes than one, more brokers than one. Broker, service, sender and
 * reader share the processors of one machine.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { DemoGenerator } from '../src/service/demo/demo-generator.js';
import { startKafka } from '../test/harness/servers/index.js';
import { until } from '../test/harness/until.js';
import { AlertReader } from './kit/alert-reader.js';
import { MARK, MARKED_PATTERN, TOPIC, writeConfig } from './kit/config.js';
import { root, ServiceProcess } from './kit/service-process.js';
import { SteadySender } from './kit/steady-sender.js';
import { TransactionRecords } from './kit/transaction-records.js';

const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '500' },
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '20' },
    delivery: { type: 'string', default: 'exactly-once' },
  },
});
const [rules, rate, seconds] = [Number(values.rules), Number(values.rate), Number(values.seconds)];
const PARTITIONS = 4;
const ACCOUNTS = 100_000;
const EVERY = 50;
const START_MAX_MS = 180_000;
const AROUND_MS = 5000;

const ruleText = (i: number, amount: number): string => `id: rule-${i}
key: accountId
within: 10m
pattern:
  - begin: large
    where: amount > ${amount}.0
  - followedBy: again
    where: amount > ${amount + 100}.0
skip: pastLastEvent
`;
const before = Object.fromEntries(Array.from({ length: rules }, (_, i) => [`rule-${i}`, ruleText(i, 1000 + 10 * i)]));

/** When each partition's journal could be read to say that rules were changed, by `performance.now()`. */
function followJournal(log: KafkaLog, signal: AbortSignal): Map<string, number[]> {
  const seen = new Map<string, number[]>();
  const follow = async (partition: number): Promise<void> => {
    for await (const batch of log.read({ topic: 'stakeout-journal', partition }, 0, { follow: true, signal })) {
      for (const { key, value } of batch.records) {
        const name = key?.toString() ?? '';
        if (name.startsWith('rules/') || !value?.toString().includes('"rules"')) continue;
        seen.set(name, [...(seen.get(name) ?? []), performance.now()]);
      }
    }
  };
  for (let partition = 0; partition < PARTITIONS; partition++) void follow(partition).catch(() => undefined);
  return seen;
}

/** Longest time between two of these moments that ends in the range. */
function longestGap(times: readonly number[], from: number, to: number): number {
  let longest = 0;
  for (let i = 1; i < times.length; i++)
    if (times[i]! >= from && times[i]! < to) longest = Math.max(longest, times[i]! - times[i - 1]!);
  return longest;
}

async function main(): Promise<void> {
  const kafka = await startKafka({ own: true });
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-hot-load-'));
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'hot-load' });
  for (const name of [TOPIC, 'alerts', 'stakeout-journal']) await log.createTopic({ name, partitions: PARTITIONS });
  const config = writeConfig({
    ...{ folder, shipped: false, patterns: { marked: MARKED_PATTERN, ...before }, partitions: PARTITIONS },
    ...{ mode: 'arrival', logLevel: 'warn', settings: [`delivery: ${values.delivery}`] },
  });
  const service = ServiceProcess.start(config, kafka.brokers);
  const stopping = new AbortController();
  try {
    await service.isLive(PARTITIONS, 0, START_MAX_MS);
    const journal = followJournal(log, stopping.signal);
    const due = new Map<string, number>();
    const read: { readonly at: number; readonly lateMs: number }[] = [];
    const reader = new AlertReader(log, PARTITIONS, 'marked', (id, at) => {
      const dueAt = due.get(id);
      if (dueAt !== undefined) read.push({ at, lateMs: at - dueAt });
    });
    const producer = await log.producer();
    const records = new TransactionRecords();
    const generator = new DemoGenerator({ seed: 7, accounts: ACCOUNTS });
    const sender = new SteadySender(producer, rate, (number, dueAt) => {
      const transactionId = `t${number}`;
      const marked = number % EVERY === 0;
      if (marked) due.set(transactionId, dueAt);
      return records.record({ ...generator.next(Date.now()), transactionId, ...(marked ? { amount: MARK } : {}) });
    });
    const sent = sender.run(rate * seconds);
    await until(() => read.length > (rate / EVERY) * (seconds / 2), 'half of the alerts', START_MAX_MS);
    const half = Math.floor(rules / 2);
    const texts = { marked: MARKED_PATTERN, ...before, [`rule-${half}`]: ruleText(half, 2) };
    const files = Object.entries(texts).map(([id, text]) => ({ file: `${id}/pattern.yaml`, text }));
    const calledAt = performance.now();
    const response = await fetch(`${await service.listens()}/v1/rules/apply`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ files, author: 'bench' }),
    });
    const answeredAt = performance.now();
    const answer = (await response.json()) as { readonly changes: readonly unknown[] };
    if (!response.ok || answer.changes.length !== 1) throw new Error(JSON.stringify(answer).slice(0, 2000));
    await sent;
    await until(
      () => read.length >= due.size,
      () => `${due.size - read.length} alerts`,
      60_000,
    );
    const effects = [...journal.values()].map((times) => times.find((at) => at > calledAt) ?? Number.NaN);
    await reader.stop();
    const status = await service.isLive(PARTITIONS, 0, START_MAX_MS);
    await service.stop();
    const args = [join(root, 'bin', 'stakeout.mjs'), 'verify', '--config', config, '--json'];
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, KAFKA_BROKERS: kafka.brokers.join(',') };
    const verified = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 1 << 28 }).catch((e) => e);
    const { equal, alertsLive, alertsReplayed, repeats, missing, unexpected } = JSON.parse(verified.stdout);
    const at = read.map((one) => one.at).sort((a, b) => a - b);
    const late = (from: number, to: number): number =>
      Math.max(0, ...read.filter((one) => one.at >= from && one.at < to).map(({ lateMs }) => lateMs));
    const [early, after] = [calledAt - AROUND_MS, Math.max(...effects) + AROUND_MS];
    const result = {
      ...{ rules, rate, seconds, delivery: values.delivery, keys: status.detector?.partitions.map(({ keys }) => keys) },
      answerMs: answeredAt - calledAt,
      effectMs: {
        partitions: effects.length,
        first: Math.min(...effects) - calledAt,
        last: Math.max(...effects) - calledAt,
      },
      gapMs: { before: longestGap(at, early, calledAt), after: longestGap(at, calledAt, after) },
      lateMs: { before: late(early, calledAt), after: late(calledAt, after) },
      verify: { equal, alertsLive, alertsReplayed, repeats, missing: missing.length, unexpected: unexpected.length },
      load: readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 2).join(' '),
    };
    process.stdout.write(
      `${JSON.stringify(result, (_, v) => (typeof v === 'number' ? Math.round(v * 10) / 10 : v), 1)}\n`,
    );
  } finally {
    stopping.abort();
    await service.stop();
    await log.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
