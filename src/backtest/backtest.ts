import { ownFields, streamDefinition } from '../runtime/stream.js';
import { missingIdentity, timeOf } from '../runtime/task/interpret.js';
import type { Checkpoints } from './checkpoint/checkpoints.js';
import { LaneCheckpoints } from './checkpoint/lane-checkpoints.js';
import { Collector } from './findings/collector.js';
import type { Findings } from './findings/findings.js';
import { type Labels, readLabels } from './findings/labels.js';
import { type LaneResult, together } from './findings/lane-result.js';
import { Population } from './findings/population.js';
import { type Verdicts, verdictsOf } from './metrics/verdicts.js';
import type { Plan } from './plan/plan.js';
import { fieldsOf, type Protocol } from './plan/protocol.js';
import type { FileStream } from './run/file-streams.js';
import type { Lane } from './run/lane.js';
import { runFiles } from './run/run-files.js';
import type { FileRunOptions, RunListener, RunResult } from './run/run-options.js';

export interface BacktestProgress extends Pick<RunListener, 'onProgress' | 'onBadRow'> {
  /** A lane goes on after so many events of it, where an earlier attempt was cut short. */
  onResumed?(events: number): void;
}

/** What a run over history has found, before anything is measured. */
export interface Backtest {
  readonly plan: Plan;
  readonly protocol: Protocol;
  /** Digest and alerts are those of the first rule set. */
  readonly run: RunResult;
  readonly findings: Findings;
  readonly population: Population;
  /** `null`: there are none. */
  readonly labels: Labels | null;
}

export interface BacktestInput {
  readonly streams: readonly FileStream[];
  readonly plan: Plan;
  readonly protocol: Protocol;
  readonly options?: FileRunOptions;
  /** A clock in seconds, for the figures. */
  readonly now: () => number;
  readonly progress?: BacktestProgress;
  /** Of the lane; absent: what is cut short begins anew. */
  readonly checkpoints?: Checkpoints;
}

/**
 * Runs the rules of a plan over files, and keeps what they accuse in the scored range. Throws `RunError`, and `RecordFileError` for
 * labels or events that cannot be read.
 *
 * @param elsewhere what all lanes find, which each run `backtestLane`; empty: there is one lane, here.
 */
export async function backtest(
  input: BacktestInput,
  elsewhere: readonly Promise<LaneResult>[] = [],
): Promise<Backtest> {
  const { plan, protocol, now } = input;
  const started = now();
  const labels = await labelsOf(protocol);
  const population = new Population(protocol, labels);
  const only = { index: 0, of: 1 };
  const lanes = elsewhere.length > 0 ? elsewhere : [runLane(input, only, labels)];
  const [first, ...others] = await Promise.all(lanes);
  for (const lane of [first!, ...others]) population.merge(lane.population);
  if (!population.hasEvents) await countUnread(population, input);
  population.sort();
  const { run, findings } = together([first!, ...others]);
  const seconds = now() - started + Math.max(...[first!, ...others].map(({ secondsBefore }) => secondsBefore));
  const eventsPerSecond = Math.round(run.events / Math.max(seconds, 1e-9));
  return { plan, protocol, run: { ...run, seconds, eventsPerSecond }, findings, population, labels };
}

/** No rule reads the stream that is scored, so nobody has counted its events. */
async function countUnread(population: Population, { streams, protocol }: BacktestInput): Promise<void> {
  for (const { settings, file } of streams.filter((stream) => stream.settings.name === protocol.stream)) {
    const definition = streamDefinition(settings);
    for await (const { rows } of file.batches([...ownFields(definition), ...fieldsOf(protocol)])) {
      for (const row of rows) {
        const time = missingIdentity(row, definition) ?? timeOf(row, 0, definition);
        if (typeof time === 'number') population.add(row.fields, time);
      }
    }
  }
}

/** The part of a back-test that is one lane's. */
export async function backtestLane(input: BacktestInput, lane: Lane): Promise<LaneResult> {
  return runLane(input, lane, await labelsOf(input.protocol));
}

const labelsOf = async ({ labels }: Protocol): Promise<Labels | null> => (labels === null ? null : readLabels(labels));

async function runLane(
  { streams, plan, protocol, options, now, progress = {}, checkpoints }: BacktestInput,
  lane: Lane,
  labels: Labels | null,
): Promise<LaneResult> {
  const kept = checkpoints === undefined ? null : await LaneCheckpoints.open(checkpoints);
  const resumed = kept?.resumed ?? null;
  if (resumed !== null) progress.onResumed?.(resumed.events);
  if (resumed?.result != null) {
    const { result } = resumed;
    return { ...result, secondsBefore: result.secondsBefore + result.run.seconds };
  }
  const population = new Population(protocol, labels);
  const collector = new Collector(protocol, labels, plan, population, options?.isOpenEnded);
  const run = await runFiles(streams, plan.rules, collector.listener(progress), now, {
    ...{ ...options, lane },
    ...(kept === null ? {} : { checkpoints: kept.forRun(collector, now) }),
  });
  const secondsBefore = kept?.secondsBefore ?? 0;
  const result = { run, found: collector.findings.data(), population: population.data(), secondsBefore };
  await kept?.finish(result);
  return result;
}

/** What one rule set of the plan says. */
export function verdicts({ plan, findings, population }: Backtest, set: number): Verdicts {
  return verdictsOf(findings, population, new Set(plan.sets[set]!.rules));
}
