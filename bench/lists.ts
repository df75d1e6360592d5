import { readList } from '../src/runtime/lists/read-list.js';

/**
 * Reference lists: how much of a processor one of many entries takes to read, what it takes in memory, and what a look-up takes. Account
 * numbers of 14 characters; of a map, values of 2. A `Set` or `Map` of the same beside it. What it leaves out: reading the file from the
 * disk, entries of other lengths.
 *
 *     node --expose-gc --import ./test/harness/run-typescript.mjs bench/lists.ts [entries...]
 */
const LOOK_UPS = 2_000_000;

const entry = (i: number): string => `ACC${String((i * 7919) % 100_000_000_000).padStart(11, '0')}`;

function seconds<T>(act: () => T): { readonly taken: number; readonly result: T } {
  const started = process.cpuUsage();
  const result = act();
  const { user, system } = process.cpuUsage(started);
  return { taken: (user + system) / 1e6, result };
}

function heapOf<T>(make: () => T): { readonly bytes: number; readonly taken: number; readonly result: T } {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const { taken, result } = seconds(make);
  globalThis.gc?.();
  return { bytes: process.memoryUsage().heapUsed - before, taken, result };
}

function lookUps(entries: number, has: (text: string) => boolean): number {
  const asked = Array.from({ length: 4096 }, (_, i) =>
    i % 2 === 0 ? entry((i * 104_729) % entries) : `NO${entry(i)}`,
  );
  let found = 0;
  const { taken } = seconds(() => {
    for (let i = 0; i < LOOK_UPS; i++) if (has(asked[i % asked.length]!)) found++;
  });
  if (found !== LOOK_UPS / 2) throw new Error(`${found} of ${LOOK_UPS} found`);
  return (taken / LOOK_UPS) * 1e9;
}

for (const entries of process.argv
  .slice(2)
  .map(Number)
  .concat(process.argv.length > 2 ? [] : [100_000, 1_000_000, 5_000_000])) {
  const row = (kind: string, taken: number, bytes: number, ns: number): void =>
    console.log(
      `${String(entries).padStart(9)}  ${kind.padEnd(12)} ${taken.toFixed(2).padStart(6)} s  ${(bytes / entries).toFixed(1).padStart(6)} bytes an entry  ${ns.toFixed(0).padStart(5)} ns a look-up`,
    );
  for (const kind of ['set', 'map'] as const) {
    const text = Array.from({ length: entries }, (_, i) => (kind === 'set' ? entry(i) : `${entry(i)},DE`)).join('\n');
    const bytes = new TextEncoder().encode(text);
    const { taken, result } = seconds(() => readList(bytes, kind === 'set' ? 'lines' : 'csv', kind));
    row(
      kind,
      taken,
      result.bytes,
      lookUps(entries, (asked) => result.has(asked)),
    );
    const digest = seconds(() => result.digest());
    console.log(`           its digest   ${digest.taken.toFixed(2).padStart(6)} s`);
  }
  const plain = heapOf(() => new Set(Array.from({ length: entries }, (_, i) => entry(i))));
  row(
    'Set of texts',
    plain.taken,
    plain.bytes,
    lookUps(entries, (asked) => plain.result.has(asked)),
  );
}
