import type { Match } from '../../engine/index.js';
import type { Rule } from '../../rules/index.js';
import { eventCodec } from '../../runtime/task/event-codec.js';
import { KeyedEngine } from '../../runtime/task/keyed-engine.js';
import { SourceEvent } from '../../runtime/task/source-event.js';
import { heldBytes, type PauseFigures, PauseObserver, pauseFigures, percentile } from '../measure/garbage.js';
import { mulberry32 } from '../stream/random.js';
import { decodeRecord, encodeRecord } from '../stream/record.js';
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
  /** Time for a batch of updates, their decoding included, in ms. */
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

/** Each key begins a run of W1 that waits for an offshore payment; then payments of random keys begin a further one each. */
export async function runKeys(job: KeysJob, tell: (text: string) => void): Promise<KeysResult> {
  const rules = await rulesOfFile('w1.yaml');
  const before = heldBytes();
  const load = new KeyLoad(rules);
  tell(`${job.keys.toLocaleString('en-US')} keys begin`);
  for (let key = 0; key < job.keys; key++) {
    load.take(key, 'Payment', 20_000);
    load.take(key, 'Withdrawal', 50);
    if (key % BATCH === 0) load.engine.sweep(load.time);
  }
  const bytesPerKey = (heldBytes() - before) / job.keys;
  const draw = mulberry32(SEED);
  const batchesMs = new Float64Array(Math.ceil(job.updates / BATCH));
  const pauses = new PauseObserver();
  tell(`${job.updates.toLocaleString('en-US')} updates`);
  const from = performance.now();
  for (let batch = 0; batch < batchesMs.length; batch++) {
    const began = performance.now();
    for (let i = 0; i < BATCH; i++) load.take(Math.floor(draw() * job.keys), 'Payment', 20_000);
    load.engine.sweep(load.time);
    batchesMs[batch] = performance.now() - began;
  }
  const to = performance.now();
  const rssBytes = process.memoryUsage().rss;
  await pauses.settle();
  pauses.stop();
  batchesMs.sort();
  const { engine } = load;
  return {
    workload: job.workload,
    title: 'many keys with a run under way, and updates of random ones',
    keys: engine.keys,
    runs: engine.runs,
    updates: batchesMs.length * BATCH,
    updatesPerSecond: (batchesMs.length * BATCH * 1000) / (to - from),
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

  /** One record of a key: decoded, processed, and kept if it matters. */
  take(number: number, type: string, amount: number): void {
    this.time = STARTS_AT + Math.floor(this.events++ / EVENTS_PER_MS);
    const raw = encodeRecord({ accountId: `A${number}`, type, amount, country: 'DE' });
    const fields = decodeRecord(raw);
    const event = new SourceEvent(this.time, type, fields, this.events, raw, null, true);
    event.seq = this.events;
    this.engine.process(fields.accountId, event);
  }
}
