/**
 * How fast a back-test reads a topic of Kafka by time range, against the same client that reads the same records and does nothing else.
 *
 *     npm run -s build && node --import ./test/harness/run-typescript.mjs bench/topic-replay.ts [--events 1500000] [--partitions 4] \
 *       [--runs 3] [--lanes 1,2] [--json]
 *
 * `stakeout backtest --topic` runs as its own process, as a user starts it, with W1 over the last half of the topic's time and over all of
 * it. Its rate is its own: from the first record asked for to the last alert, without the start of Node.js. Beside it, in the same run,
 * *bare*: the client reads all partitions at once, in this process, and neither decodes nor keeps anything.
 *
 * Left out: a network between machines, more than one broker, a schema registry. Broker and reader share the processors of one machine.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { startKafka } from '../test/harness/servers/index.js';
import { bareConsume, fillTopic } from './kit/filled-topic.js';
import { root } from './kit/service-process.js';

const TOPIC = 'transactions';
/** As long as W1's window. It skips, so that by itself it would be warmed up from the first record. */
const WARM_UP = '10m';
const OUTPUT_BYTES_MAX = 1 << 28;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1500000' },
    partitions: { type: 'string', default: '4' },
    runs: { type: 'string', default: '3' },
    lanes: { type: 'string', default: '1,2' },
    json: { type: 'boolean', default: false },
  },
});
const [events, partitions, runs] = [values.events, values.partitions, values.runs].map(Number) as [
  number,
  number,
  number,
];

interface Row {
  readonly what: string;
  readonly lanes: number | null;
  readonly events: number;
  readonly recordsPerSecond: number;
  readonly ofBareConsume: number | null;
  readonly digest: string | null;
}

function writeConfig(folder: string): string {
  mkdirSync(join(folder, 'patterns', 'w1'), { recursive: true });
  copyFileSync(join(root, 'bench', 'patterns', 'w1.yaml'), join(folder, 'patterns', 'w1', 'pattern.yaml'));
  const config = join(folder, 'stakeout.yaml');
  const schema = join(root, 'schemas', 'transaction.avsc');
  writeFileSync(
    config,
    `patterns: ./patterns
streams:
  transactions:
    { topic: ${TOPIC}, schema: ${schema}, key: accountId, time: eventTime, id: transactionId, type: type, partitions: ${partitions}, outOfOrderness: 5s }
data: { directory: ${folder}/data }
`,
  );
  return config;
}

interface Result {
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly digest: string;
}

function backtest(config: string, brokers: readonly string[], lanes: number, from: number | null): Result {
  const range = from === null ? [] : ['--from', String(from), '--warmup', WARM_UP];
  const args = ['backtest', '--config', config, '--topic', TOPIC, '--lanes', String(lanes), '--json', ...range];
  const out = execFileSync(process.execPath, [join(root, 'bin', 'stakeout.mjs'), ...args], {
    env: { ...process.env, KAFKA_BROKERS: brokers.join(',') },
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return JSON.parse(String(out)) as Result;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

async function measured(
  log: KafkaLog,
  config: string,
  brokers: readonly string[],
  from: number | null,
): Promise<Row[]> {
  const what = from === null ? 'all' : 'the last half';
  const at = (partition: number) => ({ topic: TOPIC, partition });
  const places = Array.from({ length: partitions }, (_, partition) => partition);
  const begins = await Promise.all(places.map((p) => (from === null ? 0 : log.offsetAt(at(p), from))));
  const bare: number[] = [];
  const byLanes = new Map(values.lanes.split(',').map((lanes) => [Number(lanes), [] as Result[]]));
  for (let run = 0; run < runs; run++) {
    bare.push(await bareConsume(log, TOPIC, begins));
    for (const [lanes, results] of byLanes) results.push(backtest(config, brokers, lanes, from));
  }
  const floor = median(bare);
  const read = events - begins.reduce((sum, begin) => sum + begin, 0);
  const rows = [...byLanes].map(([lanes, results]): Row => {
    const digests = new Set(results.map(({ digest }) => digest));
    if (digests.size > 1) throw new Error(`${lanes} lanes: ${digests.size} digests`);
    const rate = median(results.map(({ eventsPerSecond }) => eventsPerSecond));
    const { events: count, digest } = results[0]!;
    return { what, lanes, events: count, recordsPerSecond: rate, ofBareConsume: rate / floor, digest };
  });
  if (new Set(rows.map(({ digest }) => digest)).size > 1) throw new Error('lanes have different digests');
  return [
    { what: `bare, ${what}`, lanes: null, events: read, recordsPerSecond: floor, ofBareConsume: null, digest: null },
    ...rows,
  ];
}

const kafka = await startKafka({ own: true });
const folder = mkdtempSync(join(tmpdir(), 'stakeout-replay-'));
const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'replay' });
try {
  const range = await fillTopic(log, { topic: TOPIC, partitions, events, endsNow: true });
  const config = writeConfig(folder);
  const half = Math.round((range.from + range.to) / 2);
  const rows = [
    ...(await measured(log, config, kafka.brokers, half)),
    ...(await measured(log, config, kafka.brokers, null)),
  ];
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else {
    for (const { what, lanes, events: count, recordsPerSecond, ofBareConsume } of rows) {
      const share = ofBareConsume === null ? '' : `, ${Math.round(ofBareConsume * 100)} % of bare`;
      const by = lanes === null ? '' : `, ${lanes} lanes`;
      process.stdout.write(`${what}${by}: ${Math.round(recordsPerSecond)} records/s of ${count}${share}\n`);
    }
  }
} finally {
  await log.close();
  await kafka.stop();
  rmSync(folder, { recursive: true, force: true });
}
