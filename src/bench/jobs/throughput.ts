import type { Rule } from '../../rules/index.js';
import { BehindBuffer } from '../floors/behind-buffer.js';
import type { Floor } from '../floors/floor.js';
import {
  type EnginePass,
  eventsOf,
  InOrderPass,
  inOrder,
  type Mode,
  OUT_OF_ORDERNESS_MS,
  orderedEventsOf,
  type Reading,
  WatermarkPass,
} from '../measure/engine-pass.js';
import { heldBytes, PauseObserver } from '../measure/garbage.js';
import { type Measured, measure, type Pass, type PassPlan } from '../measure/passes.js';
import { generateRows, type Row } from '../stream/generate.js';
import { parseStream } from '../stream/spec.js';
import { workloadOf } from '../workloads/catalogue.js';
import type { Workload } from '../workloads/workload.js';

export interface ThroughputJob {
  readonly kind: 'throughput';
  readonly workload: string;
  readonly stream: string;
  readonly mode: Mode;
  readonly warmup: number;
  readonly passes: number;
  /** Short passes are repeated until they have taken so long together. */
  readonly secondsMin: number;
}

export interface ThroughputResult extends Measured {
  readonly workload: string;
  readonly title: string;
  readonly stream: string;
  readonly mode: Mode;
  readonly events: number;
  /** Matches that there must be, and who says so. */
  readonly expected: number;
  readonly expectedBy: 'table' | 'floor';
  /** Whether engine, floor and table agree. */
  readonly countsAgree: boolean;
  /** What the engine holds at the end of the stream. */
  readonly keys: number;
  readonly runs: number;
  /**
   * Heap and external memory of the engine's state; events are held by the benchmark and do not count. `null`: there are no keys,
   * or what the order buffer holds could not be told from it.
   */
  readonly bytesPerKey: number | null;
  readonly floor: Measured & {
    /** Rate of the engine to that of the floor. */
    readonly ratio: number;
    /** The same by processor time, which others on the machine disturb less. */
    readonly cpuRatio: number;
  };
  /** The same with matches not written out; `null` where that was not asked for. */
  readonly unread: Measured | null;
}

type Tell = (text: string) => void;

/** Measures one workload on one stream, the engine first and then its floor, in this process. */
export async function runThroughput(job: ThroughputJob, tell: Tell): Promise<ThroughputResult> {
  const workload = workloadOf(job.workload);
  tell(`makes the stream ${job.stream}`);
  const rules = await workload.rules();
  const rows = rowsFor(job);
  const passOf = passMaker(job.mode, rules, rows);
  const pauses = new PauseObserver();
  const makePass = (reading: Reading) => (): EnginePass => passOf(reading);
  const measured = (what: string, make: () => Pass): Promise<Measured> =>
    measure(planOf(job, rows, what, make, tell), pauses);
  try {
    const engine = await measured('engine', makePass('read'));
    const unread = workload.alsoUnread === true ? await measured('engine, matches unread', makePass('unread')) : null;
    const state = stateHeld(makePass('read'), job.mode);
    const floor = await measured('floor', () => floorPass(workload, job.mode, rows));
    const known = workload.expected[job.stream];
    const expected = known ?? floor.matches;
    return {
      workload: workload.name,
      title: workload.title,
      stream: job.stream,
      mode: job.mode,
      events: rows.length,
      expected,
      expectedBy: known === undefined ? 'floor' : 'table',
      countsAgree: [engine, floor].every(({ matches }) => matches === expected),
      ...engine,
      ...state,
      floor: {
        ...floor,
        ratio: engine.eventsPerSecond / floor.eventsPerSecond,
        cpuRatio: floor.cpuMicrosPerEvent / engine.cpuMicrosPerEvent,
      },
      unread,
    };
  } finally {
    pauses.stop();
  }
}

function passMaker(mode: Mode, rules: readonly Rule[], rows: readonly Row[]): (reading: Reading) => EnginePass {
  if (mode === 'in-order') {
    const events = orderedEventsOf(rows);
    return (reading) => new InOrderPass(rules, events, reading);
  }
  const events = eventsOf(rows);
  return (reading) => new WatermarkPass(rules, events, reading);
}

function rowsFor(job: ThroughputJob): readonly Row[] {
  const rows = generateRows(parseStream(job.stream));
  if (job.mode !== 'in-order') return rows;
  // Copied, so that they lie in memory in the order in which they are processed, as rows do that have just been decoded.
  return inOrder(rows, (row) => row.eventTime).map((row) => ({ ...row }));
}

function planOf(job: ThroughputJob, rows: readonly Row[], what: string, makePass: () => Pass, tell: Tell): PassPlan {
  return {
    events: rows.length,
    warmup: job.warmup,
    passes: job.passes,
    secondsMin: job.secondsMin,
    makePass,
    onPass: (number, rate) =>
      tell(
        `${what}, ${number > 0 ? `pass ${number}` : 'warm-up'}: ${Math.round(rate).toLocaleString('en-US')} events/s`,
      ),
  };
}

/** What is held at the end of the stream, before its windows end. */
function stateHeld(makePass: () => EnginePass, mode: Mode): Pick<ThroughputResult, 'keys' | 'runs' | 'bytesPerKey'> {
  let pass: EnginePass | null = makePass();
  pass.run();
  const { keys, runs } = pass;
  const full = heldBytes();
  // What is measured is what goes away with the engine, so this must be the last use of it.
  pass = null;
  const held = full - heldBytes();
  return { keys, runs, bytesPerKey: keys === 0 || mode === 'watermark' ? null : held / keys };
}

class FloorPass implements Pass {
  constructor(
    private readonly floor: Floor,
    private readonly rows: readonly Row[],
  ) {}

  get matches(): number {
    return this.floor.matches;
  }

  run(): void {
    const { floor, rows } = this;
    for (let i = 0; i < rows.length; i++) floor.take(rows[i]!);
  }

  finish(): void {
    this.floor.finish();
  }
}

function floorPass(workload: Workload, mode: Mode, rows: readonly Row[]): Pass {
  const floor = workload.floor();
  return new FloorPass(mode === 'in-order' ? floor : new BehindBuffer(floor, OUT_OF_ORDERNESS_MS), rows);
}
