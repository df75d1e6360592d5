/**
 * What a transaction on Kafka costs: records and the offsets of twelve partitions as one, one after the other, as a lane commits.
 *
 *     node --import ./test/harness/run-typescript.mjs bench/exactly-once.ts [--seconds 10] [--interval 0] [--nodes 1] [--json]
 *
 * For each number of records a commit: commits and records a second, and how long one commit takes, from the call until it is known to be
 * committed and every reader sees it. `--interval 100` waits so many milliseconds between the beginnings of two commits, as a lane does: then
 * the times count, not the rates. Measured against a plain, idempotent `send` of the same records and a plain commit of the
 * offsets: what at-least-once costs.
 *
 * Left out: making the records, and reading them; a network. Brokers and client share the processors of one machine, and brokers do
 * not flush to disk (Kafka's default).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import type { GroupMember, OffsetCommit, OutgoingRecord } from '../src/runtime/ports/log.js';
import { RecordingListener } from '../test/harness/recording-listener.js';
import { startKafka } from '../test/harness/servers/index.js';
import { until } from '../test/harness/until.js';

const PARTITIONS = 12;
const VALUE_BYTES = 200;
const RECORDS = [0, 1, 100, 5_000] as const;
const WARMUP_MS = 3_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    interval: { type: 'string', default: '0' },
    nodes: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

interface Row {
  readonly mode: 'transaction' | 'plain';
  readonly recordsPerCommit: number;
  readonly commitsPerSecond: number;
  readonly recordsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

type Commit = (records: readonly OutgoingRecord[], offsets: readonly OffsetCommit[]) => Promise<void>;

function recordsOf(count: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => {
    return {
      topic: 'out',
      partition: i % PARTITIONS,
      key: Buffer.from(`key-${i}`),
      value: Buffer.alloc(VALUE_BYTES, i),
    };
  });
}

/** Commits for `ms` milliseconds; answers with how long each took. */
async function run(commit: Commit, records: readonly OutgoingRecord[], ms: number, from: number): Promise<number[]> {
  const times: number[] = [];
  const intervalMs = Number(values.interval);
  const end = performance.now() + ms;
  for (let due = performance.now(); performance.now() < end; due = Math.max(due + intervalMs, performance.now())) {
    if (due > performance.now()) await sleep(due - performance.now());
    const offset = from + times.length;
    const offsets = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 'in', partition, offset }));
    const begun = performance.now();
    await commit(records, offsets);
    times.push(performance.now() - begun);
  }
  return times;
}

async function measure(mode: Row['mode'], count: number, commit: Commit): Promise<Row> {
  const records = recordsOf(count);
  const warm = await run(commit, records, WARMUP_MS, 0);
  const begun = performance.now();
  const times = await run(commit, records, Number(values.seconds) * 1_000, warm.length);
  const commitsPerSecond = (times.length / (performance.now() - begun)) * 1_000;
  times.sort((a, b) => a - b);
  const at = (quantile: number) => times[Math.min(times.length - 1, Math.floor(times.length * quantile))] ?? Number.NaN;
  const recordsPerSecond = Math.round(commitsPerSecond * count);
  return { mode, recordsPerCommit: count, commitsPerSecond, recordsPerSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function joinAll(log: KafkaLog): Promise<GroupMember> {
  const listener = new RecordingListener();
  const member = await log.join({ groupId: 'bench', topics: { names: ['in'] }, start: { at: 'earliest' } }, listener);
  await until(() => listener.held.size === PARTITIONS, 'all partitions');
  return member;
}

async function measureAll(brokers: readonly string[]): Promise<Row[]> {
  const log = new KafkaLog({ brokers, clientId: 'bench' });
  for (const name of ['in', 'out']) await log.createTopic({ name, partitions: PARTITIONS });
  const member = await joinAll(log);
  const transactions = await log.transactionalProducer('bench');
  const producer = await log.producer();
  const rows: Row[] = [];
  for (const count of RECORDS) {
    const plain: Commit = async (records, offsets) => {
      await producer.send(records);
      await member.commit(offsets);
    };
    rows.push(await measure('transaction', count, (records, offsets) => transactions.commit(member, records, offsets)));
    rows.push(await measure('plain', count, plain));
  }
  await log.close();
  return rows;
}

function show(rows: readonly Row[]): string {
  const head = 'mode          records/commit   commits/s    records/s    p50 ms    p99 ms';
  const lines = rows.map((r) =>
    [
      r.mode.padEnd(12),
      String(r.recordsPerCommit).padStart(15),
      r.commitsPerSecond.toFixed(1).padStart(11),
      String(r.recordsPerSecond).padStart(12),
      r.p50Ms.toFixed(2).padStart(9),
      r.p99Ms.toFixed(2).padStart(9),
    ].join(' '),
  );
  return [head, ...lines].join('\n');
}

const cluster = await startKafka({ nodes: Number(values.nodes) });
try {
  const rows = await measureAll(cluster.brokers);
  process.stdout.write(`${values.json ? JSON.stringify(rows) : show(rows)}\n`);
} finally {
  await cluster.stop();
}
