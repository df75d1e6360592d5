import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { BacktestInput } from '../../../backtest/backtest.js';
import { lookBackMs } from '../../../backtest/plan/look-back.js';
import { type Protocol, protocolOf } from '../../../backtest/plan/protocol.js';
import { type FileStream, isBounded, openStreams, type TableEnds } from '../../../backtest/run/file-streams.js';
import { type ListData, ReferenceLists } from '../../../runtime/lists/reference-lists.js';
import type { LogReader } from '../../../runtime/ports/log.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { parseDuration, parseTimestamp } from '../../../runtime/settings/values.js';
import { ruleOptionsOf } from '../../../runtime/task/keyed/keyed-engine.js';
import { pseudonymsOf } from '../../../service/compose/pseudonyms.js';
import { CommandError } from '../../command-error.js';
import { listsNow, sayUnread } from '../../lists-now.js';
import type { Output } from '../../output.js';
import { settingsOrFail } from '../../settings.js';
import { openOrFail } from '../files.js';
import { type PlannedRules, plannedRules } from './rules.js';
import type { TopicRanges } from './topic.js';

/** What decides the result of a back-test: every lane is prepared from it by itself. */
export interface BacktestSource {
  /** Absent: the settings are given. */
  readonly config?: string;
  readonly settings?: Settings;
  readonly data?: string;
  readonly patterns?: string;
  /** Read it in place of a file. */
  readonly topic?: string;
  readonly profile?: string;
  readonly from?: string;
  readonly to?: string;
  readonly warmup?: string;
  readonly labels?: string;
  /** Of the rules that are read: these alone, drafts too. */
  readonly rules?: readonly string[];
  /** Patterns to compare with. */
  readonly baseline?: string;
  readonly sweep?: readonly string[];
  /** Where tables end, for all lanes; found by who reads them first. */
  readonly tableEnds?: TableEnds;
  /** What is read of each partition of the topic; absent: up to where it ends now. */
  readonly ranges?: TopicRanges;
  /** What reference lists hold, for all lanes; absent: they are read. */
  readonly listData?: Readonly<Record<string, ListData>>;
}

const SOURCE: readonly (keyof BacktestSource)[] = [
  ...(['config', 'settings', 'data', 'patterns', 'topic', 'profile', 'from', 'to', 'warmup', 'labels'] as const),
  ...(['rules', 'baseline', 'sweep', 'tableEnds', 'ranges', 'listData'] as const),
];

/** Options of a command hold more than what other threads need. */
export const sourceOf = (options: BacktestSource): BacktestSource =>
  Object.fromEntries(SOURCE.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));

export interface Prepared {
  /** Name of the installation or example. */
  readonly title: string;
  readonly settings: Settings;
  readonly streams: readonly FileStream[];
  readonly lists: ReferenceLists;
  readonly rules: PlannedRules;
  readonly input: Omit<BacktestInput, 'now' | 'progress'>;
  /** Where a topic is read; `null`: files are. */
  readonly log: LogReader | null;
  /** What is read of each partition of the topic; `null`: files are. */
  readonly ranges: TopicRanges | null;
  close(): Promise<void>;
}

interface Opened {
  readonly streams: readonly FileStream[];
  readonly log: LogReader | null;
  /** Leaves out what of a topic was written before a time. */
  startAt(timestamp: number): Promise<void>;
  ranges(): TopicRanges | null;
  readOnly(ranges: TopicRanges): void;
  close(): Promise<void>;
}

/** Reads settings and rules, and opens the files, or the log. Throws `CommandError`. */
export async function prepare(source: BacktestSource, output: Output): Promise<Prepared> {
  const settings = source.settings ?? settingsOrFail(source.config);
  const base = dirname(resolve(source.config ?? 'stakeout.yaml'));
  const protocol = await openOrFail(async () => protocolFor(settings, base, source));
  const opened = await openOrFail(() => openSource(settings, base, source, protocol.stream, output));
  const { streams, log } = opened;
  try {
    const lists = new ReferenceLists(source.listData ?? (await openOrFail(() => listsNow(settings))).data);
    const rules = await plannedRules(source, settings, { streams, lists: lists.known }, output);
    if (source.listData === undefined) sayUnread(settings, rules.plan.rules, output);
    if (source.ranges !== undefined) opened.readOnly(source.ranges);
    else if (Number.isFinite(protocol.from)) {
      const warmup = protocol.warmupMs ?? lookBackMs(rules.plan.rules);
      await opened.startAt(protocol.from - warmup);
    }
    const pseudonyms = pseudonymsOf(
      settings,
      streams.map(({ file }) => file.schema),
    );
    const options = { ...ruleOptionsOf(settings.engine), lists, pseudonyms, isOpenEnded: log !== null };
    const input = { streams, plan: rules.plan, protocol, options };
    const { close } = opened;
    return { title: settings.name, settings, streams, lists, rules, input, log, ranges: opened.ranges(), close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The files of all streams; with `--topic`, the log in place of the file of one, and for those that have no file. */
async function openSource(
  settings: Settings,
  base: string,
  { topic, data, tableEnds }: BacktestSource,
  scored: string,
  output: Output,
): Promise<Opened> {
  const options = { data, relative: (name: string): string => relative(base, name), tableEnds };
  if (topic === undefined) {
    const streams = await openStreams(settings, options);
    const close = (): Promise<void> => closeAll(streams);
    return { streams, log: null, startAt: async () => undefined, ranges: () => null, readOnly: () => undefined, close };
  }
  // What reads a log, the clients of Kafka among it, is half of all code: files do without.
  const { openTopics } = await import('./topic.js');
  const { log, streams: own, ...positions } = await openTopics(settings, topic, scored, output);
  const names = new Set(own.map((stream) => stream.settings.name));
  const rest = Object.fromEntries(Object.entries(settings.streams).filter(([name]) => !names.has(name)));
  const hasFiles = Object.values(rest).some(isBounded);
  const others = hasFiles ? await openStreams({ ...settings, streams: rest }, options) : [];
  const close = async (): Promise<void> => {
    await closeAll(others);
    await log.close();
  };
  // Ties in the order of arrival are in that of the settings.
  const order = Object.keys(settings.streams);
  const placeOf = (stream: FileStream): number => order.indexOf(stream.settings.name);
  const streams = [...own, ...others].sort((a, b) => placeOf(a) - placeOf(b));
  return { streams, log, ...positions, close };
}

async function closeAll(streams: readonly FileStream[]): Promise<void> {
  for (const { file } of streams) await file.close();
}

function protocolFor(settings: Settings, base: string, options: BacktestSource): Protocol {
  const { profile, data } = options;
  const protocol = protocolOf(settings, {
    ...(profile === undefined ? {} : { profile }),
    ...momentOf(options, 'from'),
    ...momentOf(options, 'to'),
    ...warmupOf(options),
  });
  const { labels } = protocol;
  if (options.labels !== undefined) {
    const id = labels?.id ?? protocol.idField ?? 'id';
    return { ...protocol, labels: { ...(labels ?? { id }), file: resolve(options.labels) } };
  }
  if (labels === null || data === undefined) return protocol;
  const name = relative(base, labels.file);
  return { ...protocol, labels: { ...labels, file: isAbsolute(name) ? labels.file : join(data, name) } };
}

function warmupOf({ warmup }: BacktestSource): { warmup?: number } {
  if (warmup === undefined) return {};
  const duration = parseDuration(warmup);
  if (duration !== undefined) return { warmup: duration };
  throw new CommandError(`--warmup takes a duration such as 30d, not ${warmup}.`);
}

function momentOf(options: BacktestSource, name: 'from' | 'to'): { from?: number; to?: number } {
  const text = options[name];
  if (text === undefined) return {};
  const time = /^\d{10,}$/.test(text) ? Number(text) : parseTimestamp(text);
  if (time !== undefined) return { [name]: time };
  throw new CommandError(
    `--${name} takes a time such as 2026-01-31T00:00:00Z, or milliseconds since 1970, not ${text}.`,
  );
}
