/**
 * Checkpoints of a large partition: time, bytes, memory, and how long they hold up this thread.
 *
 *     node --import ./test/harness/run-typescript.mjs bench/checkpoints.ts [--keys 1000000] [--changed 50000] [--plain] [--directory DIR]
 *
 * Fills RocksDB with keys of about 200 bytes (half of them as chance has it, half like text), writes a base and a delta of them to a
 * folder, and puts them in place in an empty store, as another machine would. One JSON document a step.
 *
 * `turnMs`: processor time of this thread from one turn of its event loop to the next, so that other programs do not count; the operating
 * system counts in steps of some milliseconds, which `idle` shows. `delayMs`: how late timers were, other programs and collections of
 * garbage included. Left out: the lane's own work beside it, and a network to the store.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { DirectoryObjectStore } from '../src/connectors/file/directory-object-store.js';
import { RocksStateStore } from '../src/connectors/rocksdb/rocks-state-store.js';
import { systemClock } from '../src/connectors/system-clock.js';
import { CheckpointedStore } from '../src/runtime/checkpoint/checkpointed-store.js';
import { zstd } from '../src/runtime/checkpoint/files/zstd.js';
import type { PartitionState, StateEntry } from '../src/runtime/ports/state-store.js';
import { dice } from '../src/runtime/testing/dice.js';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    changed: { type: 'string', default: '50000' },
    plain: { type: 'boolean', default: false },
    directory: { type: 'string', default: tmpdir() },
  },
});
const KEYS = Number(values.keys);
const CHANGED = Number(values.changed);
const BATCH = 5000;
const P = { topic: 'transactions', partition: 0 };
/** Time to write what is to be in the next checkpoint. */
const INTERVAL_MS = 5000;
const NEVER_MS = 2 ** 31 - 1;

const directory = await mkdtemp(join(values.directory, 'stakeout-checkpoints-'));
const objects = await DirectoryObjectStore.open({ directory: join(directory, 'objects') });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function open(
  name: string,
  intervalMs: number,
  onCheckpoint: (done: object) => void,
): Promise<CheckpointedStore> {
  return new CheckpointedStore({
    ...{ inner: await RocksStateStore.open({ directory: join(directory, name) }), objects, clock: systemClock, turn },
    ...{ group: 'bench', writer: name, intervalMs, minPauseMs: 0, timeoutMs: 600_000, tolerated: 0, retained: 2 },
    ...{ positionOf: () => null, compression: values.plain ? null : zstd },
    report: (text) => process.stderr.write(`${text}\n`),
    listener: { onCheckpoint: (_, done) => onCheckpoint(done) },
  });
}

const some = dice(1);
const noise = Buffer.from(Array.from({ length: 1 << 20 }, () => some(256)));

function entry(i: number): StateEntry {
  const text = `{"id":"tx-${i}","account":"acc-${i % 5000}","country":"DE","amount":${i % 997}.5,"type":"Withdrawal"}`;
  return {
    key: Buffer.from(`account-${i}`),
    value: Buffer.concat([noise.subarray((i * 97) % (noise.length - 100)).subarray(0, 100), Buffer.from(text)]),
  };
}

async function write(state: PartitionState, count: number, step: number): Promise<void> {
  for (let i = 0; i < count; i += BATCH) {
    const puts: StateEntry[] = [];
    for (let k = i; k < Math.min(i + BATCH, count); k++) {
      puts.push(entry(k * step));
      if (k % 256 === 0) await turn();
    }
    await state.write({ position: i, cut: Buffer.from(`${step} ${i}`), puts, deletes: [] });
  }
}

/** Does something, and prints what it took. */
async function step(name: string, act: () => Promise<object | undefined>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const turns: number[] = [];
  let [memory, live, before] = [0, true, process.threadCpuUsage()];
  const probe = () => {
    const now = process.threadCpuUsage();
    turns.push((now.user + now.system - before.user - before.system) / 1000);
    before = now;
    if (live) setImmediate(probe);
  };
  const timer = setInterval(() => {
    memory = Math.max(memory, process.memoryUsage.rss());
  }, 20);
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  delay.enable();
  probe();
  const result = await act();
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - started) / 1000;
  live = false;
  clearInterval(timer);
  delay.disable();
  turns.sort((a, b) => a - b);
  const at = (share: number) => turns[Math.floor((turns.length - 1) * share)];
  process.stdout.write(
    `${JSON.stringify({
      ...{ step: name, seconds, cpuSeconds: (used.user + used.system) / 1e6, ...result },
      turnMs: { p999: at(0.999), max: at(1), above5: turns.filter((ms) => ms > 5).length },
      delayMs: { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
      memoryMb: Math.round(memory / 2 ** 20),
    })}\n`,
  );
}

try {
  let wake: (done: object) => void = () => undefined;
  const filling = await open('from', NEVER_MS, () => undefined);
  const filled = await filling.partition(P);
  await step('fill', () => write(filled, KEYS, 1).then(() => undefined));
  await filling.close();
  const store = await open('from', INTERVAL_MS, (done) => wake(done));
  const state = await store.partition(P);
  const checkpoint = (count: number) =>
    new Promise<object>((resolve, reject) => {
      wake = resolve;
      write(state, count, Math.floor(KEYS / CHANGED)).catch(reject);
    });
  await step('base', () => checkpoint(1));
  await step('idle', () => new Promise((resolve) => systemClock.schedule(2000, () => resolve(undefined))));
  await step('delta', () => checkpoint(CHANGED));
  await store.close();
  const other = await open('to', NEVER_MS, () => undefined);
  const taken = await other.partition(P);
  await step('put in place', async () => ({ found: await taken.restoreCopy!(KEYS) }));
  await step('read back', async () => {
    let entries = 0;
    for await (const _ of taken.entries()) entries++;
    return { entries };
  });
  await other.close();
} finally {
  await rm(directory, { recursive: true });
}
