import { isAbsolute, join } from 'node:path';
import { type AvroSchema, readAvroSchema } from '../../connectors/avro/schema.js';
import { eventSchemaFor } from '../../connectors/avro/stream-schema.js';
import { openRecords } from '../../connectors/file/open-records.js';
import type { RecordFile } from '../../connectors/file/record-file.js';
import { openDatabase } from '../../connectors/sql/open-database.js';
import { TableFile } from '../../connectors/sql/table-file.js';
import type { Match } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { EventSchema } from '../../rules/schema.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { DecodeFailure } from '../../runtime/ports/decoder.js';
import type { NearMissRecord } from '../../runtime/ports/near-miss.js';
import { databaseOptions } from '../../runtime/settings/database.js';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import { isTable } from '../../runtime/settings/table.js';
import type { AlertSource } from '../../runtime/task/alert/alert-builder.js';
import type { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import type { RuleOptions } from '../../runtime/task/keyed/keyed-engine.js';
import type { SourceEvent } from '../../runtime/task/source-event.js';
import { FileRun } from './file-run.js';
import { keysOf, type Lane } from './lane.js';
import type { RunCheckpoints } from './run-checkpoints.js';
import { Totals } from './run-totals.js';

/** A stream of the settings with its file open; a topic has one for each of its partitions. */
export interface FileStream {
  readonly settings: StreamSettings;
  readonly file: RecordFile;
  /** What rules are checked against. */
  readonly schema: EventSchema;
  /** A service that reads the stream knows no schema of it: this one was found in its rows, and rules are not checked against it. */
  readonly isInferred?: boolean;
}

/** A match, before its alert is made. */
export interface Found {
  readonly rule: Rule;
  readonly key: string;
  readonly match: Match;
  /** Event time at which it was complete, in ms. */
  readonly at: number;
  /** Makes the alert; counts nothing. */
  alert(): Alert;
}

export interface RunListener {
  onAlert?(alert: Alert): void;
  /** Of rules that tell them. */
  onNearMiss?(nearMiss: NearMissRecord): void;
  /** Gets every match instead, and says of which it wants alerts: those alone are counted, digested and told. */
  onFound?(found: Found): Alert | null;
  /** Every row with a valid time, late ones too, in the order of the file. */
  onRow?(stream: FileStream, fields: Readonly<Record<string, unknown>>, time: number): void;
  /** An event has had its turn, in order of event time; what it completed was told before. */
  onProcessed?(event: SourceEvent, source: AlertSource): void;
  /** Fields of a stream that `onRow` and `onFound` read besides those of the rules. */
  fieldsOf?(stream: FileStream): readonly string[];
  /** Asked after each batch: whether what comes after this event time may be left unread. */
  isEnough?(watermark: number): boolean;
  /** After each batch; `fraction` is of all bytes, 0 to 1. */
  onProgress?(fraction: number, events: number): void;
  /** A row that has no key, id or valid time. */
  onBadRow?(file: string, row: number, failure: DecodeFailure): void;
}

export interface RunResult {
  readonly events: number;
  readonly alerts: number;
  readonly late: number;
  /** Partial matches that ended one step short, of rules that tell them. */
  readonly nearMisses: number;
  /** Rows that could not be processed. */
  readonly badRows: number;
  /** From opening the first file to the last alert. */
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Of the alerts, whatever their order. */
  readonly digest: string;
  /** Alerts by rule. */
  readonly byPattern: Readonly<Record<string, number>>;
  /** Of rules that saw several partitions merged, by rule: event time that all of them have passed, in ms. A service waits there for those without new events. */
  readonly passedByAll: Readonly<Record<string, number>>;
}

/** How rules run. */
export interface RunFilesOptions extends RuleOptions {
  /** What stands for personal values in alerts; absent: the values themselves. */
  readonly pseudonyms?: Pseudonyms | undefined;
  /** More may come after the last event, so windows that are open stay open, as in a service. Default: the input ends. */
  readonly isOpenEnded?: boolean;
  /** Others do the rest. Default: there are no others. */
  readonly lane?: Lane;
  /** The keys that are wanted. Default: all. */
  readonly ownsKey?: (key: string) => boolean;
  /** Absent: what is cut short begins anew. */
  readonly checkpoints?: RunCheckpoints;
}

/** How one run does its part; `ownsKey` leaves the other keys to other lanes. */
export type FileRunOptions = Omit<RunFilesOptions, 'lane' | 'checkpoints'>;

const ONLY_LANE: Lane = { index: 0, of: 1 };

/** Nothing to run: no stream with a file, or a rule that fits none of them. */
export class RunError extends Error {
  readonly code = 'RUN';
}

export interface OpenStreamsOptions {
  /** Folder that relative names are in, instead of the config's. */
  readonly data?: string | undefined;
  /** A path of the settings as the config has it. */
  readonly relative: (path: string) => string;
  /** Where tables end, by stream: for one of several readers of the same rows. */
  readonly tableEnds?: TableEnds | undefined;
}

export type TableEnds = Readonly<Record<string, readonly string[] | null>>;

/** Opens the files and tables of all streams that name one. */
export async function openStreams(settings: Settings, options: OpenStreamsOptions): Promise<FileStream[]> {
  const streams = Object.values(settings.streams).filter(isBounded);
  if (streams.length === 0)
    throw new RunError(
      'No stream of the config names a file or a table: set streams.<name>.file or streams.<name>.table.',
    );
  return Promise.all(
    streams.map(async (stream) => {
      const file = await (stream.file === undefined
        ? openTable(settings, stream, options.tableEnds)
        : openFileOf(stream, stream.file, options));
      return { settings: stream, file, schema: eventSchemaFor(stream, file.schema) };
    }),
  );
}

/** Whether a stream comes from a file or a table, and so has an end. */
export const isBounded = ({ file, table }: StreamSettings): boolean => file !== undefined || isTable(table);

/** Where the tables among the streams end. */
export const tableEndsOf = (streams: readonly FileStream[]): TableEnds =>
  Object.fromEntries(
    streams.flatMap(({ settings, file }) => (file.last === undefined ? [] : [[settings.name, file.last]])),
  );

const readerOf = ({ schema }: StreamSettings) => (schema === undefined ? {} : { reader: readAvroSchema(schema) });

function openFileOf(stream: StreamSettings, file: string, { data, relative }: OpenStreamsOptions): Promise<RecordFile> {
  const name = relative(file);
  const path = data === undefined || isAbsolute(name) ? file : join(data, name);
  const format = stream.format === 'avro-confluent' ? 'avro' : stream.format;
  return openRecords(path, { format, ...readerOf(stream) });
}

/** A page, or the first look at the whole, may take so long. */
const TABLE_MS = 600_000;

async function openTable(settings: Settings, stream: StreamSettings, ends: TableEnds = {}): Promise<RecordFile> {
  const { table, time, id, name } = stream;
  const order = table.order ?? [time, id].filter((column) => column !== undefined);
  const { reader: schema } = readerOf(stream) as { readonly reader?: AvroSchema };
  const database = await openDatabase(databaseOptions(settings.database, table.url, TABLE_MS));
  try {
    return await TableFile.open(database, {
      ...{ name: table.name, query: table.query, order, pageRows: table.page },
      ...(schema === undefined ? {} : { schema }),
      ...(Object.hasOwn(ends, name) ? { last: ends[name]! } : {}),
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}

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

const isKeyedAs = ({ keyBy }: Rule, key: string | undefined): boolean => keyBy.form === 'one' && keyBy.field === key;

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
  const named = rule.streams.flatMap((name) => {
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
