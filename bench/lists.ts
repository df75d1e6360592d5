import { changedBy, effectiveIn, LayeredTable, layeredOf, wholeOf } from '../src/runtime/lists/layered-table.js';
import { encodeTable } from '../src/runtime/lists/list-codec.js';
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

/** What a change of a few entries costs: the next version made, and the look-ups in it; and the whole written anew beside it. */
const CHANGES = 1000;
for (const entries of [100_000, 1_000_000]) {
  const text = Array.from({ length: entries }, (_, i) => entry(i)).join('\n');
  let data = layeredOf('set', readList(new TextEncoder().encode(text), 'lines', 'set'));
  let longest = 0;
  const { taken } = seconds(() => {
    for (let i = 0; i < CHANGES; i++) {
      const one = seconds(() => {
        const change = { put: [[`NEW${i}`, ''] as const], remove: [entry((i * 104_729) % entries)] };
        data = changedBy(data, effectiveIn(data, change));
      });
      longest = Math.max(longest, one.taken);
    }
  });
  const whole = seconds(() => encodeTable('set', wholeOf(data)));
  console.log(
    `${String(entries).padStart(9)}  ${CHANGES} changes of two entries: ${((taken / CHANGES) * 1e6).toFixed(0)} µs each, longest ${(longest * 1e3).toFixed(1)} ms, ${data.layers.length} layers; the whole anew ${whole.taken.toFixed(2)} s, ${whole.result.length} bytes`,
  );
  const table = new LayeredTable(data);
  const ns = lookUps(entries, (asked) => table.has(asked) || asked.startsWith('ACC'));
  console.log(`           a look-up through them ${ns.toFixed(0)} ns`);
}
