import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { type Backtest, type BacktestProgress, backtest } from '../../../backtest/backtest.js';
import { type Measured, measure } from '../../../backtest/measure.js';
import { type Parity, parity } from '../../../backtest/parity.js';
import { type BacktestResult, resultOf } from '../../../backtest/result.js';
import { tableEndsOf } from '../../../backtest/run-files.js';
import { AlertTopicCodec } from '../../../service/compose/alert-topic-codec.js';
import { makeRegistry } from '../../../service/compose/stream-parts.js';
import type { Output } from '../../output.js';
import { openOrFail } from '../files.js';
import { type BacktestSource, type Prepared, prepare, sourceOf } from './prepare.js';
import { spawnLane } from './spawn-lane.js';

/** So many bytes of files are worth a thread more. */
const BYTES_OF_LANE = 4 << 20;
export const LANES_MAX = 16;
/** The heap is cleared when it has twice what was alive the time before. V8 would wait for four times that on a machine with much memory. */
const HEAP_GROWS_BY = '--heap-growing-percent=100';

export interface Performed {
  /** Name of the installation or example. */
  readonly title: string;
  readonly measured: Measured;
  readonly result: BacktestResult;
  readonly lanes: number;
  /** Where a topic was read that a service reads; `null`: there is nothing to compare with. */
  readonly live: Parity | null;
}

/** Prepares, runs and measures a back-test. Throws `CommandError`. */
export async function perform(
  source: BacktestSource,
  lanesAsked: number | undefined,
  output: Output,
  progress: BacktestProgress,
): Promise<Performed> {
  setFlagsFromString(HEAP_GROWS_BY);
  const now = (): number => performance.now() / 1000;
  const prepared = await prepare(source, output);
  try {
    const { rules, title, input } = prepared;
    const lanes = lanesAsked ?? lanesFor(prepared);
    const shared = { ...sourceOf(source), tableEnds: tableEndsOf(prepared.streams) };
    const others = Array.from({ length: lanes === 1 ? 0 : lanes }, (_, index) =>
      spawnLane(shared, { index, of: lanes }, index === 0 ? progress : {}),
    );
    const done = await openOrFail(() => backtest({ ...input, now, progress }, others));
    const measured = measure(done, rules.sweep, rules.defaults);
    return { title, measured, result: resultOf(measured), lanes, live: await parityOf(prepared, done) };
  } finally {
    await prepared.close();
  }
}

/** One for each core, where the files are worth it; of a topic, at most one for each partition. */
function lanesFor({ streams, log }: Prepared): number {
  const bytes = streams.reduce((sum, { file }) => sum + file.bytesTotal, 0);
  const most = log === null ? Math.ceil(bytes / BYTES_OF_LANE) : streams.length;
  return Math.max(1, Math.min(availableParallelism(), most, LANES_MAX));
}

/** Beside a service's own alerts, where the same topic is read that it reads. */
async function parityOf({ log, settings, rules }: Prepared, { protocol, run }: Backtest): Promise<Parity | null> {
  if (log === null) return null;
  const { topic: alertsTopic } = settings.alerts;
  const decoder = new AlertTopicCodec(makeRegistry(settings), alertsTopic);
  const own = rules.plan.sets[0].rules.map((index) => rules.plan.rules[index]!);
  return parity({ log, alertsTopic, decoder, rules: own, protocol, replayed: run });
}
