/**
 * How the state of a partition grows with event time, and what it costs: the demo's transactions, run as fast as they can be through
 * one task with the shipped patterns, in event time, in this process.
 *
 *     node --expose-gc --import ./test/harness/run-typescript.mjs bench/state-growth.ts \
 *       [--rate 1500] [--seconds 420] [--accounts 30000] [--windows 1h] [--split-from 768] [--chunk-bytes 384] [--json]
 *
 * `--windows`: in place of the shipped patterns one whose condition reads a count, a sum, a median and distinct countries of the account over so long.
 * `--rate` and `--seconds` are of event time; every 5 s of it a cut is made as for a store, and not stored. After each minute: keys and their runs, where
 * their states are, the heap after a collection, resident memory; for an event of that minute, bytes of the states that changed, and of the
 * entries that were written for them; and time of the processor an event, all that this process does included (making and encoding the transactions is about a third).
 *
 * Left out: the log, the store, and rules of another key than the topic's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHUNK_SIZES } from '../src/runtime/chunked/chunk-sizes.js';
import { ChunkedState } from '../src/runtime/chunked/chunked-state.js';
import type { LogRecord } from '../src/runtime/ports/log.js';
import type { PartitionState } from '../src/runtime/ports/state-store.js';
import type { Task } from '../src/runtime/task/task.js';
import { DemoGenerator } from '../src/service/demo/demo-generator.js';
import { TOPIC, writeConfig } from './kit/config.js';
import { taskOf } from './kit/task-of.js';
import { TransactionRecords } from './kit/transaction-records.js';

const CUT_EVERY_S = 5;
const REPORT_EVERY_S = 60;
const BEGIN = Date.UTC(2026, 0, 5, 12);

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1500' },
    seconds: { type: 'string', default: '420' },
    accounts: { type: 'string', default: '30000' },
    windows: { type: 'string' },
    'split-from': { type: 'string', default: String(CHUNK_SIZES.splitFrom) },
    'chunk-bytes': { type: 'string', default: String(CHUNK_SIZES.chunkBytes) },
    json: { type: 'boolean', default: false },
  },
});
const [rate, seconds, accounts] = [values.rate, values.seconds, values.accounts].map(Number) as [
  number,
  number,
  number,
];

const featuresPattern = (over: string): string => `id: usual
title: Unlike this account
key: accountId
features:
  - name: seen
    count: true
    over: ${over}
  - name: spent
    sum: amount
    over: ${over}
  - name: usual
    median: amount
    over: ${over}
  - name: countries
    distinct: country
    over: ${over}
pattern:
  - begin: odd
    where: seen > 100000 && spent > 1000000.0 && amount > usual && countries > 100
alert:
  severity: low
  message: "odd"
`;

const partition = { topic: TOPIC, partition: 0 };
const { signal } = new AbortController();
const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** What cuts wrote in a stretch of time. */
interface Written {
  keys: number;
  bytes: number;
  stored: number;
}

const NOTHING: Written = { keys: 0, bytes: 0, stored: 0 };

/** Counts what a store would be given. */
function counting(written: () => Written): PartitionState {
  return {
    cut: async () => null,
    entries: async function* () {},
    clear: async () => undefined,
    write: async ({ puts, deletes }) => {
      for (const { key, value } of puts) written().stored += key.length + value.length;
      for (const key of deletes) written().stored += key.length;
    },
  };
}

function* batches(): Generator<readonly LogRecord[]> {
  const records = new TransactionRecords();
  const generator = new DemoGenerator({ seed: 7, accounts });
  for (let second = 0, offset = 0; second < seconds; second++) {
    const batch: LogRecord[] = [];
    for (let i = 0; i < rate; i++) {
      const timestamp = BEGIN + second * 1000 + Math.floor((i * 1000) / rate);
      const { key, value } = records.record(generator.next(timestamp));
      batch.push({ offset: offset++, timestamp, key, value, headers: null });
    }
    yield batch;
  }
}

async function cut(task: Task, state: PartitionState, written: Written): Promise<void> {
  const batch = await task.snapshot().encode(noTurn);
  written.keys += batch.puts.length;
  for (const { key, value } of batch.puts) written.bytes += key.length + value.length;
  await state.write(batch);
}

const noTurn = async (): Promise<void> => undefined;

function rowOf(task: Task, second: number, written: Written, cpuUs: number) {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const { keys, runs, memory } = task.status();
  const events = REPORT_EVERY_S * rate;
  return {
    ...{
      second,
      keys,
      runs,
      hotKeys: memory.hotKeys,
      coldMib: mib(memory.coldBytes),
      tablesMib: mib(memory.tableBytes),
    },
    ...{ heapMib: mib(heapUsed), rssMib: mib(rss) },
    ...{
      bytesAnEvent: Math.round(written.bytes / events),
      storedAnEvent: Math.round(written.stored / events),
      keysAnEvent: written.keys / events,
      cpuUsAnEvent: cpuUs / events,
    },
  };
}

const cpuUs = (): number => process.cpuUsage().user + process.cpuUsage().system;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-growth-'));
  const patterns: Record<string, string> = {};
  if (values.windows !== undefined) patterns.usual = featuresPattern(values.windows);
  const shown = {
    shipped: values.windows === undefined,
    patterns,
    partitions: 1,
    mode: 'event-time',
    logLevel: 'warn',
    settings: [],
  } as const;
  const task = await taskOf(writeConfig({ folder, ...shown }), partition);
  let [second, since] = [0, cpuUs()];
  let written = { ...NOTHING };
  const state = new ChunkedState(
    counting(() => written),
    noTurn,
    { splitFrom: Number(values['split-from']), chunkBytes: Number(values['chunk-bytes']) },
  );
  for (const records of batches()) {
    const nextOffset = records.at(-1)!.offset + 1;
    await task.process({ ...partition, records, nextOffset, endOffset: nextOffset }, signal);
    if (++second % CUT_EVERY_S === 0) await cut(task, state, written);
    if (second % REPORT_EVERY_S !== 0) continue;
    const row = rowOf(task, second, written, cpuUs() - since);
    process.stdout.write(values.json ? `${JSON.stringify(row)}\n` : `${shownRow(row)}\n`);
    written = { ...NOTHING };
    since = cpuUs();
  }
  rmSync(folder, { recursive: true, force: true });
}

const shownRow = (row: ReturnType<typeof rowOf>): string =>
  `${row.second} s: ${row.keys} keys, ${row.runs} runs, ${row.hotKeys} hot, cold ${row.coldMib} MiB, tables ${row.tablesMib} MiB, heap ${row.heapMib} MiB, ` +
  `resident ${row.rssMib} MiB; an event ${row.bytesAnEvent} bytes of ${row.keysAnEvent.toFixed(2)} keys, ${row.storedAnEvent} written, ${row.cpuUsAnEvent.toFixed(1)} µs`;

await main();
