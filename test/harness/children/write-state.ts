import { RocksStateStore } from '../../../src/connectors/rocksdb/rocks-state-store.js';

/**
 * Writes batches 1, 2, 3 … into one partition until it is killed or the store fails: batch i puts `i` under 50 keys and into the cut.
 * Prints `i` when a batch has resolved, and `failed CODE` when one has not; then tries again so often as it is told.
 */
const [directory = '', valueBytes = '20', attempts = '0'] = process.argv.slice(2);
let attemptsLeft = Number(attempts);
const store = await RocksStateStore.open({ directory });
const state = await store.partition({ topic: 't', partition: 0 });
for (let i = 1; ; i++) {
  const value = Buffer.from(String(i).padStart(Number(valueBytes)));
  const puts = Array.from({ length: 50 }, (_, k) => ({ key: Buffer.from(`key-${k}`), value }));
  try {
    await state.write({ position: 1, cut: Buffer.from(String(i)), puts, deletes: [] });
  } catch (error) {
    process.stdout.write(`failed ${(error as { code: string }).code} ${(error as Error).message}\n`);
    if (attemptsLeft-- === 0) break;
    continue;
  }
  process.stdout.write(`${i}\n`);
}
process.exit();
