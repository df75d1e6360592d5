import {
  BenchError,
  type BenchOptions,
  formatEntry,
  formatReport,
  isSound,
  type Mode,
  PeerRunner,
  planJobs,
  rounded,
  runBench,
  runInProcess,
} from '../../bench/index.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';

export interface BenchCommandOptions {
  readonly workload?: readonly string[];
  readonly stream?: string;
  readonly events?: string;
  readonly mode?: string;
  readonly warmup?: string;
  readonly passes?: string;
  readonly quick?: boolean;
  readonly peers?: string;
  readonly peer?: readonly string[];
}

const DEFAULTS = { warmup: 2, passes: 5, secondsMin: 1 };
/** Enough to see that everything works, and nothing about speed. */
const QUICK = { events: 20_000, warmup: 1, passes: 1, secondsMin: 0 };
const PEER_PASSES = 3;
const MODES: readonly Mode[] = ['in-order', 'watermark'];

/** The engine's own benchmark: 0 when everything was measured and every count is right. */
export async function bench(options: BenchCommandOptions, output: Output): Promise<number> {
  try {
    const jobs = planJobs(planOf(options));
    const folder = options.peers ?? process.env.STAKEOUT_PEERS;
    const peers = PeerRunner.open(folder, options.peer ?? ['esper'], options.quick === true ? 1 : PEER_PASSES);
    const entries = await runBench(jobs, {
      run: runInProcess,
      peers,
      progress: (text) => output.progress(text),
      onEntry: (entry) => {
        output.progress('');
        process.stderr.write(`${formatEntry(entry)}\n`);
      },
    });
    output.result(rounded(entries), () => `\n${formatReport(entries)}`);
    return entries.every(isSound) ? 0 : 1;
  } catch (error) {
    if (error instanceof BenchError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

function planOf(options: BenchCommandOptions): BenchOptions {
  const base = options.quick === true ? QUICK : DEFAULTS;
  const events = options.events === undefined ? undefined : wholeNumber('--events', options.events, 1);
  return {
    ...base,
    workloads: options.workload ?? [],
    modes: modesOf(options.mode ?? 'both'),
    ...(events === undefined ? {} : { events }),
    ...(options.stream === undefined ? {} : { stream: options.stream }),
    ...(options.warmup === undefined ? {} : { warmup: wholeNumber('--warmup', options.warmup, 0) }),
    ...(options.passes === undefined ? {} : { passes: wholeNumber('--passes', options.passes, 1) }),
  };
}

function modesOf(text: string): readonly Mode[] {
  if (text === 'both') return MODES;
  const mode = MODES.find((known) => known === text);
  if (mode === undefined) throw new CommandError(`--mode is ${MODES.join(', ')} or both, not ${text}.`);
  return [mode];
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) {
    throw new CommandError(`${option} is a whole number from ${least} on, not ${text}.`);
  }
  return value;
}
