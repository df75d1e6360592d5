import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { type Backtest, backtest } from '../../../backtest/backtest.js';
import { type Measured, measure } from '../../../backtest/measure.js';
import { type BacktestResult, resultOf } from '../../../backtest/result.js';
import { tableEndsOf } from '../../../backtest/run/file-streams.js';
import type { Parity } from '../../../backtest/verify/parity.js';
import type { Output } from '../../output.js';
import { openOrFail } from '../files.js';
import { checkpointsOf, type Keeping, type Settled, settle, settledBefore } from './attempt.js';
import { type BacktestSource, type Prepared, prepare, sourceOf } from './prepare.js';
import { type LaneListener, spawnLane } from './spawn-lane.js';

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

/**
 * Prepares, runs and measures a back-test. Throws `CommandError`.
 *
 * @param lanesMax where `lanesAsked` is not given.
 * @param keeping it goes on from what an attempt before has kept there, and keeps what it comes to itself. Absent: it begins anew.
 */
export async function perform(
  source: BacktestSource,
  lanesAsked: number | undefined,
  output: Output,
  progress: LaneListener,
  keeping?: Keeping,
  lanesMax = LANES_MAX,
): Promise<Performed> {
  setFlagsFromString(HEAP_GROWS_BY);
  const now = (): number => performance.now() / 1000;
  const before = keeping === undefined ? null : await settledBefore(keeping);
  const prepared = await prepare({ ...source, ...readBefore(before) }, output);
  try {
    const { rules, title, input, ranges, lists } = prepared;
    const lanes = before?.lanes ?? lanesAsked ?? lanesFor(prepared, lanesMax);
    const tableEnds = tableEndsOf(prepared.streams);
    if (keeping !== undefined && before === null) await settle(keeping, { lanes, ranges, tableEnds });
    // All read the same, whatever comes meanwhile.
    const shared = { ...sourceOf(source), tableEnds, listData: lists.data, ...(ranges && { ranges }) };
    const others = Array.from({ length: lanes === 1 ? 0 : lanes }, (_, index) => {
      const data = { source: shared, lane: { index, of: lanes }, ...(keeping && { keeping }) };
      return spawnLane(data, index === 0 ? progress : { onSaved: () => progress.onSaved?.() });
    });
    const saved = (): void => progress.onSaved?.();
    const isAlone = keeping !== undefined && lanes === 1;
    const kept = isAlone && { checkpoints: await checkpointsOf(keeping, prepared, { index: 0, of: 1 }, saved) };
    const done = await openOrFail(() => backtest({ ...input, now, progress, ...kept }, others));
    const measured = measure(done, rules.sweep, rules.defaults);
    return { title, measured, result: resultOf(measured), lanes, live: await liveParity(prepared, done) };
  } finally {
    await prepared.close();
  }
}

/** What the first attempt has read. */
const readBefore = (before: Settled | null): Pick<BacktestSource, 'ranges' | 'tableEnds'> =>
  before === null ? {} : { tableEnds: before.tableEnds, ...(before.ranges && { ranges: before.ranges }) };

/** One for each core, where the files are worth it; of a topic, at most one for each partition. */
function lanesFor({ streams, log }: Prepared, lanesMax: number): number {
  const bytes = streams.reduce((sum, { file }) => sum + file.bytesTotal, 0);
  const most = log === null ? Math.ceil(bytes / BYTES_OF_LANE) : streams.length;
  return Math.max(1, Math.min(availableParallelism(), most, lanesMax));
}

/** Beside a service's own alerts, where the same topic is read that it reads. */
async function liveParity(prepared: Prepared, done: Backtest): Promise<Parity | null> {
  if (prepared.log === null) return null;
  const { parityOf } = await import('./parity-of.js');
  return parityOf({ ...prepared, log: prepared.log }, done);
}
