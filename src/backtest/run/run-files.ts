import type { Rule } from '../../rules/rule.js';
import { streamsRead } from '../../rules/streams-read.js';
import { FileRun } from './file-run.js';
import { type FileStream, RunError } from './file-streams.js';
import { keysOf, type Lane } from './lane.js';
import type { RunCheckpoints } from './run-checkpoints.js';
import type { FileRunOptions, RunListener, RunResult } from './run-options.js';
import { Totals } from './run-totals.js';

export interface RunFilesOptions extends FileRunOptions {
  /** Others do the rest. Default: there are no others. */
  readonly lane?: Lane;
  /** Absent: what is cut short begins anew. */
  readonly checkpoints?: RunCheckpoints;
}

const ONLY_LANE: Lane = { index: 0, of: 1 };

/**
 * Runs rules over files, as the live service would over topics of one partition. Streams that rules join are merged in the order of
 * arrival, others run one after the other.
 *
 * @param now a clock in seconds, for the figures.
 */
export async function runFiles(
  streams: readonly FileStream[],
  rules: readonly Rule[],
  listener: RunListener,
  now: () => number,
  { lane = ONLY_LANE, checkpoints, ...options }: RunFilesOptions = {},
): Promise<RunResult> {
  const started = now();
  const parts = joined(streams, rules).map((group) => partOf(group, lane));
  const bytesTotal = parts.flatMap(({ counted }) => counted).reduce((sum, { file }) => sum + file.bytesTotal, 0);
  const totals = new Totals(listener, bytesTotal);
  const runs = parts.flatMap((part) => runsOf(part, totals, { ...options, ...ownKeys(lane) }, options));
  if (checkpoints === undefined) for (const run of runs) await run().run(async () => undefined);
  else await runWithCheckpoints(runs, totals, checkpoints);
  const seconds = now() - started;
  return { ...totals.result(), seconds, eventsPerSecond: Math.round(totals.events / Math.max(seconds, 1e-9)) };
}

/** What a lane does of a group. */
interface Part extends Joined {
  /** Partitions of a topic that are run one by one, and the rules for it. */
  readonly partitions: readonly FileStream[];
  readonly ownRules: readonly Rule[];
  /** The streams whose rows are counted here. */
  readonly counted: readonly FileStream[];
}

/**
 * Partitions of a topic are run one by one, as in a service, with the rules that are keyed as the topic is, and so are shared out whole;
 * rules of other keys see the events of all partitions, merged, and of those lanes share out the keys.
 */
function partOf({ streams, rules }: Joined, { index, of }: Lane): Part {
  const [first] = streams;
  const isOfTopic = streams.length > 1 && streams.every(({ settings }) => settings.name === first!.settings.name);
  const ownRules = isOfTopic ? rules.filter((rule) => isKeyedAs(rule, first!.settings.key)) : [];
  const partitions = ownRules.length === 0 ? [] : streams.filter((_, place) => place % of === index);
  const others = rules.filter((rule) => !ownRules.includes(rule));
  const counted = ownRules.length > 0 ? partitions : index === 0 ? streams : [];
  return { streams, rules: others, partitions, ownRules, counted };
}

/** What a part comes to: one after the other. Each is made when its turn has come, for it takes memory. */
function runsOf(
  { streams, rules, partitions, ownRules, counted }: Part,
  totals: Totals,
  shared: FileRunOptions,
  whole: FileRunOptions,
): readonly (() => FileRun)[] {
  const runs = partitions.map((stream) => () => new FileRun([stream], ownRules, totals, whole));
  if (rules.length === 0) return runs;
  const isCounted = ownRules.length === 0 && counted.length > 0;
  return [...runs, () => new FileRun(streams, rules, isCounted ? totals : totals.again(), shared)];
}

/** Those that were over when an earlier process was cut short are passed over, and the next goes on where it was. */
async function runWithCheckpoints(
  runs: readonly (() => FileRun)[],
  totals: Totals,
  checkpoints: RunCheckpoints,
): Promise<void> {
  const { from } = checkpoints;
  if (from !== null) totals.goOnFrom(from.state.totals);
  for (let over = from?.state.over ?? 0; over < runs.length; over++) {
    const run = runs[over]!();
    if (over === from?.state.over) await run.goOnFrom(from);
    await run.run(async () => {
      if (!checkpoints.isDue()) return;
      await checkpoints.save({ over, totals: totals.state(), ...run.state() }, run.pieces());
    });
  }
}

function ownKeys(lane: Lane): Pick<FileRunOptions, 'ownsKey'> {
  const ownsKey = keysOf(lane);
  return ownsKey === undefined ? {} : { ownsKey };
}

/** All that it depends on is in one partition. */
const isKeyedAs = ({ keyBy, otherKeys }: Rule, key: string | undefined): boolean =>
  keyBy.form === 'one' && keyBy.field === key && otherKeys === undefined;

interface Joined {
  readonly streams: readonly FileStream[];
  readonly rules: readonly Rule[];
}

/** Streams that rules join, directly or by way of others, with the rules that read them. In the order of the streams. */
function joined(streams: readonly FileStream[], rules: readonly Rule[]): readonly Joined[] {
  const group = new Map(streams.map((stream) => [stream, stream]));
  const own = new Map(rules.map((rule) => [rule, readBy(rule, streams)]));
  for (const [first, ...others] of own.values()) {
    const into = group.get(first!)!;
    for (const other of others) {
      const from = group.get(other)!;
      for (const [stream, of] of group) if (of === from) group.set(stream, into);
    }
  }
  return [...new Set(group.values())].flatMap((of) => {
    const reading = rules.filter((rule) => group.get(own.get(rule)![0]!) === of);
    return reading.length === 0
      ? []
      : { streams: streams.filter((stream) => group.get(stream) === of), rules: reading };
  });
}

/** The streams that a rule reads. Throws `RunError` where one has no file, or not all of the rule's fields. */
function readBy(rule: Rule, streams: readonly FileStream[]): readonly FileStream[] {
  const named = streamsRead(rule).flatMap((name) => {
    const found = streams.filter(({ settings }) => settings.name === name);
    if (found.length > 0) return found;
    throw new RunError(
      `${rule.source}: ${rule.id} reads the stream ${name}, which has neither file nor table: set streams.${name}.file or streams.${name}.table.`,
    );
  });
  if (named.length > 0) return named;
  const fits = streams.find(({ schema }) => rule.fields.every((field) => schema.fields.has(field)));
  if (fits !== undefined) return streams.filter(({ settings }) => settings.name === fits.settings.name);
  const fields = rule.fields.join(', ');
  throw new RunError(`${rule.source}: no stream with a file or a table has all the fields of ${rule.id}: ${fields}.`);
}
