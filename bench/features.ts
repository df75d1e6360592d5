import { openRecords } from '../src/connectors/file/open-records.js';
import type { EngineEvent, Feature, Match, NamedFeature } from '../src/engine/index.js';
import type { Rule } from '../src/rules/index.js';
import { KeyedEngine } from '../src/runtime/task/keyed/keyed-engine.js';

/**
 * Features: what an update takes and what a key takes, by statistic and length of window; and all statistics against their
 * recomputation from the events themselves, at every event of a file of card payments.
 *
 * Updates: 1,000 keys, an event of each every 30 minutes on average (1,440 in 30 days), amounts of two decimals, places out of 50 texts a key;
 * windows are full before the clock starts. Processor time of this process, garbage collection included. What it leaves out: decoding, the order buffer,
 * cuts of the state, and the waits for memory of more keys than a processor's cache holds.
 *
 *     node --import ./test/harness/run-typescript.mjs bench/features.ts [updates | exact FILE]
 */
const DAY = 86_400_000;
const HOUR = DAY / 24;
const KEYS = 1000;
const EVERY_MS = 1_800_000;
const TIMED = 300_000;

function ruleWith(features: readonly NamedFeature[], always: boolean): Rule {
  const [first] = features;
  const feature = { op: 'feature' as const, feature: first!.feature };
  return {
    ...{ id: 'f', title: 'f', status: 'live', key: 'k', tags: [], revision: '1', source: 'f', fields: [] },
    ...{ keyBy: { form: 'one', field: 'k' }, streams: [], alert: { severity: 'low', score: 1, message: [] } },
    features,
    pattern: {
      steps: [
        {
          ...{ kind: 'event', name: 'e', contiguity: 'start' },
          ...(always
            ? {}
            : { where: { op: 'compare', cmp: '==', left: feature, right: { op: 'const', value: -12.345 } } }),
        },
      ],
    },
  } as Rule;
}

const named = (features: readonly Feature[]): NamedFeature[] =>
  features.map((feature, i) => ({ name: `f${i}`, feature }));

/** The same numbers each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function measure(label: string, features: readonly Feature[]): void {
  const random = dice(7);
  const names = Array.from({ length: KEYS }, (_, i) => `C${1_000_000 + i}`);
  const engine = new KeyedEngine('k', [ruleWith(named(features), false)], { onMatch: () => {} });
  let seq = 0;
  const feed = (events: number): void => {
    for (let i = 0; i < events; i++) {
      const key = random(KEYS);
      const fields = { amount: random(50_000) / 100, place: `place ${key % 200} ${random(50)}` };
      engine.process(names[key]!, { time: seq * (EVERY_MS / KEYS), seq: seq++, kind: '', fields });
    }
  };
  const longest = Math.max(...features.map(({ overMs, lagMs = 0 }) => overMs + lagMs));
  feed(Math.max(200_000, Math.ceil((longest / EVERY_MS) * KEYS * 1.1)));
  const before = process.cpuUsage();
  feed(TIMED);
  const { user, system } = process.cpuUsage(before);
  const micros = (user + system) / TIMED;
  const { coldBytes, tableBytes } = engine.memory();
  const rows = Math.round(longest / EVERY_MS);
  console.log(
    `| ${label} | ${rows} | ${micros.toFixed(2)} | ${Math.round(1e6 / micros).toLocaleString('en')} | ${Math.round((coldBytes + tableBytes) / KEYS).toLocaleString('en')} |`,
  );
}

function updates(): void {
  console.log('| feature | events a window | µs of processor an event | events/s of one processor | bytes a key |');
  console.log('|---|---|---|---|---|');
  const spans: readonly (readonly [string, number])[] = [
    ['1 h', HOUR],
    ['24 h', DAY],
    ['30 d', 30 * DAY],
  ];
  for (const [span, overMs] of spans) {
    measure(`count, ${span}`, [{ fn: 'count', overMs }]);
    measure(`sum, ${span}`, [{ fn: 'sum', field: 'amount', overMs }]);
    measure(`distinct texts, ${span}`, [{ fn: 'distinct', field: 'place', overMs }]);
    measure(`median, ${span}`, [{ fn: 'median', field: 'amount', overMs }]);
    measure(`standard deviation, ${span}`, [{ fn: 'stddev', field: 'amount', overMs }]);
  }
  const sums = spans.map(([, overMs]): Feature => ({ fn: 'sum', field: 'amount', overMs }));
  measure('sum over 1 h, 24 h and 30 d at once', sums);
  measure('count, sum, distinct and median over 30 d at once', [
    { fn: 'count', overMs: 30 * DAY },
    { fn: 'sum', field: 'amount', overMs: 30 * DAY },
    { fn: 'distinct', field: 'place', overMs: 30 * DAY },
    { fn: 'median', field: 'amount', overMs: 30 * DAY },
  ]);
}

const ASKED: readonly Feature[] = [
  { fn: 'median', field: 'amount_cents', overMs: 60 * DAY },
  { fn: 'quantile', field: 'amount_cents', q: 0.95, overMs: 60 * DAY, lagMs: DAY },
  { fn: 'stddev', field: 'amount_cents', overMs: 30 * DAY },
  { fn: 'distinct', field: 'terminal_id', overMs: 7 * DAY },
  { fn: 'last', field: 'terminal_id', overMs: 30 * DAY, lagMs: 1 },
  { fn: 'first', field: 'terminal_id', overMs: 7 * DAY },
  { fn: 'count', overMs: DAY },
  { fn: 'sum', field: 'amount_cents', overMs: 7 * DAY, lagMs: 7 * DAY },
  { fn: 'avg', field: 'amount_cents', overMs: 28 * DAY },
  { fn: 'max', field: 'amount_cents', overMs: 28 * DAY, lagMs: 2 * DAY },
  { fn: 'since', overMs: 30 * DAY },
];

interface Payment extends EngineEvent {
  readonly fields: { readonly customer_id: string; readonly terminal_id: string; readonly amount_cents: number };
}

async function paymentsOf(path: string): Promise<Payment[]> {
  const file = await openRecords(path);
  const payments: Payment[] = [];
  for await (const { rows } of file.batches(['customer_id', 'terminal_id', 'amount_cents', 'event_time'])) {
    for (const row of rows) {
      if (!('fields' in row)) throw new Error('a record that cannot be read');
      const { customer_id, terminal_id, amount_cents, event_time } = row.fields as Record<string, number>;
      // As texts, so that texts are measured too.
      const fields = { customer_id: `C${customer_id}`, terminal_id: `T${terminal_id}`, amount_cents: amount_cents! };
      payments.push({ time: event_time!, seq: payments.length, kind: '', fields });
    }
  }
  await file.close();
  return payments.sort((a, b) => a.time - b.time || a.seq - b.seq);
}

/** Place of the first of `end` payments in order of time whose time fits. */
function firstFrom(payments: readonly Payment[], end: number, fits: (time: number) => boolean): number {
  let [low, high] = [0, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fits(payments[middle]!.time)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** From the events themselves, `payments` being those of the customer, up to and with the one under test at `end - 1`. */
function recomputed(feature: Feature, payments: readonly Payment[], end: number): unknown {
  const { fn, overMs, lagMs = 0, field = '', q = 0.5 } = feature;
  const { time } = payments[end - 1]!;
  const from = firstFrom(payments, end, (at) => at >= time - lagMs - overMs);
  const inside = payments.slice(
    from,
    firstFrom(payments, end, (at) => at > time - lagMs),
  );
  if (fn === 'count') return inside.length;
  if (fn === 'since') return inside.length < 2 ? null : time - inside.at(-2)!.time;
  const values = inside.map((payment) => payment.fields[field as 'terminal_id']);
  if (fn === 'distinct') return new Set(values).size;
  if (fn === 'first') return values[0] ?? null;
  if (fn === 'last') return values.at(-1) ?? null;
  const numbers = values as unknown as number[];
  const sum = numbers.reduce((a, b) => a + b, 0);
  if (fn === 'sum') return sum;
  if (numbers.length === 0) return null;
  if (fn === 'avg') return sum / numbers.length;
  if (fn === 'max') return Math.max(...numbers);
  if (fn === 'stddev') {
    const mean = sum / numbers.length;
    return Math.sqrt(numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length);
  }
  const sorted = Float64Array.from(numbers).sort();
  const rank = (sorted.length - 1) * q;
  const [below, above] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return below + (above - below) * (rank - Math.floor(rank));
}

/** Equal; those that are no whole numbers up to the rounding of the recomputation. */
const same = (fn: string, a: unknown, b: unknown): boolean =>
  a === b ||
  (['stddev', 'quantile'].includes(fn) && Math.abs((a as number) - (b as number)) <= 1e-9 * Math.abs(b as number));

async function exact(path: string): Promise<void> {
  const payments = await paymentsOf(path);
  const features = named(ASKED);
  let told: Match['features'];
  const engine = new KeyedEngine('k', [ruleWith(features, true)], {
    onMatch: (_rule, _key, match) => {
      told = match.features;
    },
  });
  const before = process.cpuUsage();
  for (const payment of payments) engine.process(payment.fields.customer_id, payment);
  const { user, system } = process.cpuUsage(before);
  const { coldBytes, tableBytes } = engine.memory();
  console.log(`${payments.length} payments of ${engine.keys} customers, ${features.length} features`);
  console.log(`${((user + system) / payments.length).toFixed(2)} µs of processor a payment`);
  console.log(`${Math.round((coldBytes + tableBytes) / engine.keys)} bytes a customer`);

  const again = new KeyedEngine('k', [ruleWith(features, true)], {
    onMatch: (_rule, _key, match) => {
      told = match.features;
    },
  });
  const past = new Map<string, Payment[]>();
  let compared = 0;
  let different = 0;
  for (const payment of payments) {
    const { customer_id } = payment.fields;
    const own = past.get(customer_id) ?? [];
    past.set(customer_id, own);
    own.push(payment);
    again.process(customer_id, payment);
    for (const { name, feature } of features) {
      const expected = recomputed(feature, own, own.length);
      compared++;
      if (same(feature.fn, told![name], expected)) continue;
      if (different++ < 10) console.log(customer_id, payment.time, JSON.stringify(feature), told![name], expected);
    }
  }
  console.log(`${compared} values compared with their recomputation, ${different} different`);
  if (different > 0) process.exitCode = 1;
}

const [mode = 'updates', path = ''] = process.argv.slice(2);
if (mode === 'exact') await exact(path);
else updates();
