import type { Match } from '../../engine/index.js';
import type { Rule } from '../../rules/index.js';
import { KeyedEngine } from '../../runtime/task/keyed/keyed-engine.js';
import { SourceEvent } from '../../runtime/task/source-event.js';
import { eventCodec } from '../../runtime/task/stored/event-codec.js';
import { heldBytes, type PauseFigures, PauseObserver, pauseFigures, percentile } from '../measure/garbage.js';
import { mulberry32 } from '../stream/random.js';
import { decodeRecord, encodeRecords } from '../stream/record.js';
import { rulesOfFile } from '../workloads/rules.js';

/** Many keys that all have something under way, and a further stream that changes them. */
export interface KeysJob {
  readonly kind: 'keys';
  readonly workload: string;
  readonly keys: number;
  readonly updates: number;
}

export interface KeysResult {
  readonly workload: string;
  readonly title: string;
  /** Keys with state, and runs, after the updates. */
  readonly keys: number;
  readonly runs: number;
  readonly updates: number;
  readonly updatesPerSecond: number;
  /** Of the process, after the updates, without a collection that was forced. */
  readonly rssBytes: number;
  /** Heap and external memory of the engine's state, with the events that it keeps, before the updates. */
  readonly bytesPerKey: number;
  /** Keys whose state is objects; the others' is bytes outside the heap. */
  readonly hotKeys: number;
  /** Time for a batch of updates, their decoding included and their making left out, in ms. */
  readonly batch: {
    readonly events: number;
    readonly p50Ms: number;
    readonly p999Ms: number;
    readonly longestMs: number;
  };
  /** Pauses during the updates. */
  readonly gc: PauseFigures;
  /** Every key has what it should have. */
  readonly countsAgree: boolean;
}

const BATCH = 1000;
const SEED = 7;
const STARTS_AT = 1_700_000_000_000;
/** Events a millisecond of event time: no window ends before the last update. */
const EVENTS_PER_MS = 10;

/** Of the updates, those that begin a further run. */
const CHANGING = 0.1;
const START: readonly Payment[] = [
  { type: 'Payment', amount: 20_000 },
  { type: 'Withdrawal', amount: 50 },
];

/**
 * Each key begins a run of W1 that waits for an offshore payment. Then random keys have payments: most change nothing, one in ten
 * begins a further run, which ends at the key's next event.
 */
export async function runKeys(job: KeysJob, tell: (text: string) => void): Promise<KeysResult> {
  const rules = await rulesOfFile('w1.yaml');
  const before = heldBytes();
  const load = new KeyLoad(rules);
  tell(`${job.keys.toLocaleString('en-US')} keys begin`);
  for (let key = 0; key < job.keys; key += BATCH / 2) {
    const keys = Math.min(BATCH / 2, job.keys - key);
    load.take(recordsOf(keys * START.length, (i) => ({ key: key + (i >> 1), ...START[i & 1]! })));
  }
  const bytesPerKey = (heldBytes() - before) / job.keys;
  const draw = mulberry32(SEED);
  const batchesMs = new Float64Array(Math.ceil(job.updates / BATCH));
  const pauses = new PauseObserver();
  tell(`${job.updates.toLocaleString('en-US')} updates`);
  let busyMs = 0;
  const from = performance.now();
  for (let batch = 0; batch < batchesMs.length; batch++) {
    const records = recordsOf(BATCH, () => ({
      key: Math.floor(draw() * job.keys),
      type: 'Payment',
      amount: draw() < CHANGING ? 20_000 : 50,
    }));
    const began = performance.now();
    load.take(records);
    batchesMs[batch] = performance.now() - began;
    busyMs += batchesMs[batch]!;
  }
  const to = performance.now();
  const rssBytes = process.memoryUsage().rss;
  await pauses.settle();
  pauses.stop();
  batchesMs.sort();
  const { engine } = load;
  return {
    workload: job.workload,
    title: 'many keys with a run under way, and payments of random ones, one in ten of which changes something',
    keys: engine.keys,
    runs: engine.runs,
    updates: batchesMs.length * BATCH,
    updatesPerSecond: (batchesMs.length * BATCH * 1000) / busyMs,
    rssBytes,
    bytesPerKey,
    hotKeys: engine.memory().hotKeys,
    batch: {
      events: BATCH,
      p50Ms: percentile(batchesMs, 0.5),
      p999Ms: percentile(batchesMs, 0.999),
      longestMs: batchesMs.at(-1) ?? 0,
    },
    gc: pauseFigures(pauses.between(from, to)),
    countsAgree: engine.keys === job.keys && engine.runs >= job.keys && load.matches === 0,
  };
}

/** Makes events of keys and gives them to an engine that is set up as the service sets it up. */
class KeyLoad {
  readonly engine: KeyedEngine;
  matches = 0;
  /** Event time, in ms. */
  time = STARTS_AT;
  private events = 0;

  constructor(rules: readonly Rule[]) {
    const codec = eventCodec((raw) => {
      const fields = decodeRecord(raw);
      return { kind: fields.type, fields };
    });
    const onMatch = (_rule: Rule, _key: string, match: Match): void => {
      this.matches += match.steps.length > 0 ? 1 : 0;
    };
    this.engine = new KeyedEngine(rules[0]!.key, rules, { onMatch }, { codec });
  }

  /** A batch of records: decoded, processed, and kept if they matter, as the service does it. */
  take(records: readonly Uint8Array[]): void {
    const { engine } = this;
    for (const raw of records) {
      this.time = STARTS_AT + Math.floor(this.events++ / EVENTS_PER_MS);
      const fields = decodeRecord(raw);
      const event = new SourceEvent(this.time, fields.type, fields, this.events, raw, null);
      event.seq = this.events;
      if (engine.process(fields.accountId, event)) event.detach();
    }
    engine.sweep(this.time);
  }
}

interface Payment {
  readonly type: string;
  readonly amount: number;
}

function recordsOf(count: number, make: (i: number) => Payment & { readonly key: number }): readonly Uint8Array[] {
  const rows = Array.from({ length: count }, (_, i) => {
    const { key, type, amount } = make(i);
    return { accountId: `A${key}`, type, amount, country: 'DE' };
  });
  return encodeRecords(rows);
}
