import { collectGarbage, type Pause, type PauseFigures, type PauseObserver, pauseFigures } from './garbage.js';
import { machineSeconds, ownSeconds } from './machine.js';

/** One time through the stream: something that is made anew for each pass. */
export interface Pass {
  /** Takes in all events. */
  run(): void;
  /** Ends the stream. */
  finish(): void;
  /** Valid after `finish`. */
  readonly matches: number;
}

export interface PassPlan {
  readonly events: number;
  /** Passes before any is timed; more of them while they have taken less than `secondsMin`. */
  readonly warmup: number;
  /** Timed passes; more of them while they have taken less than `secondsMin`: short streams need many. */
  readonly passes: number;
  readonly secondsMin: number;
  makePass(): Pass;
  onPass?(number: number, eventsPerSecond: number): void;
}

/** Figures of one timed pass. */
export interface PassFigures {
  readonly seconds: number;
  /** Processor time of all threads of the process, the collector's too. */
  readonly cpuSeconds: number;
  /** Processor time that others on the machine took meanwhile; `null`: not known. */
  readonly foreignCpuSeconds: number | null;
  readonly matches: number;
}

export interface Measured {
  /** Median over the timed passes. */
  readonly eventsPerSecond: number;
  readonly min: number;
  readonly max: number;
  /** Median, in microseconds. */
  readonly cpuMicrosPerEvent: number;
  /** The same in all passes. */
  readonly matches: number;
  /** All timed passes together. */
  readonly gc: PauseFigures;
  readonly passes: readonly PassFigures[];
}

const PASSES_MAX = 30;
/**
 * After a full collection V8 forgets the code that it made for shapes of which no object is left, and a short stream is over before it
 * has made it again. Nothing of that kind happens in a service. So with fewer events than this the last warm-up pass is kept.
 */
const SHORT_EVENTS = 100_000;

/** Runs warm-up and timed passes in turn, each from a clean heap. Throws when passes disagree about the matches. */
export async function measure(plan: PassPlan, pauses: PauseObserver): Promise<Measured> {
  const timed: PassFigures[] = [];
  const collected: Pause[] = [];
  const kept: Pass[] = [];
  let seconds = 0;
  for (let i = 0; i < plan.warmup || (plan.warmup > 0 && seconds < plan.secondsMin && i < PASSES_MAX); i++) {
    collectGarbage();
    const pass = plan.makePass();
    const { figures } = timePass(pass);
    if (plan.events <= SHORT_EVENTS) kept.splice(0, 1, pass);
    seconds += figures.seconds;
    plan.onPass?.(0, plan.events / figures.seconds);
  }
  seconds = 0;
  while (timed.length < plan.passes || (seconds < plan.secondsMin && timed.length < PASSES_MAX)) {
    collectGarbage();
    const { figures, from, to } = timePass(plan.makePass());
    await pauses.settle();
    timed.push(figures);
    collected.push(...pauses.between(from, to));
    seconds += figures.seconds;
    plan.onPass?.(timed.length, plan.events / figures.seconds);
  }
  const rates = timed.map(({ seconds }) => plan.events / seconds).sort((a, b) => a - b);
  const [first] = timed;
  const other = timed.find(({ matches }) => matches !== first?.matches);
  if (kept.some((pass) => pass.matches !== first?.matches)) throw new Error('a warm-up pass found other matches');
  if (first === undefined) throw new RangeError('there must be a timed pass');
  if (other !== undefined) throw new Error(`one pass found ${first.matches} matches, another ${other.matches}`);
  return {
    eventsPerSecond: median(rates),
    min: rates[0]!,
    max: rates.at(-1)!,
    cpuMicrosPerEvent: median(timed.map(({ cpuSeconds }) => (cpuSeconds * 1e6) / plan.events).sort((a, b) => a - b)),
    matches: first.matches,
    gc: pauseFigures(collected),
    passes: timed,
  };
}

function timePass(pass: Pass): { figures: PassFigures; from: number; to: number } {
  const machine = machineSeconds();
  const own = ownSeconds();
  const from = performance.now();
  pass.run();
  pass.finish();
  const to = performance.now();
  const cpuSeconds = ownSeconds() - own;
  const all = machineSeconds();
  const foreign = machine === null || all === null ? null : Math.max(0, all - machine - cpuSeconds);
  const seconds = (to - from) / 1000;
  return { figures: { seconds, cpuSeconds, foreignCpuSeconds: foreign, matches: pass.matches }, from, to };
}

/** Of an even number of values the mean of the two in the middle. `sorted`: ascending, not empty. */
export function median(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)]!;
  return Number.isInteger(half) ? (sorted[half - 1]! + upper) / 2 : upper;
}
