import { isAbsolute, join } from 'node:path';
import { readAvroSchema } from '../connectors/avro/schema.js';
import { eventSchemaFor } from '../connectors/avro/stream-schema.js';
import { openRecords } from '../connectors/file/open-records.js';
import type { RecordFile } from '../connectors/file/record-file.js';
import type { Match } from '../engine/index.js';
import type { Rule } from '../rules/rule.js';
import type { EventSchema } from '../rules/schema.js';
import type { Alert } from '../runtime/ports/alert.js';
import type { DecodeFailure } from '../runtime/ports/decoder.js';
import type { Settings, StreamSettings } from '../runtime/settings/index.js';
import type { KeyedEngineOptions, RuleOptions } from '../runtime/task/keyed-engine.js';
import { FileRun } from './file-run.js';
import { Totals } from './run-totals.js';

/** A stream of the settings with its file open; a topic has one for each of its partitions. */
export interface FileStream {
  readonly settings: StreamSettings;
  readonly file: RecordFile;
  /** What rules are checked against. */
  readonly schema: EventSchema;
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
  /** Gets every match instead, and says of which it wants alerts: those alone are counted, digested and told. */
  onFound?(found: Found): Alert | null;
  /** Every row with a valid time, late ones too, in the order of the file. */
  onRow?(stream: FileStream, fields: Readonly<Record<string, unknown>>, time: number): void;
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
  /** Rows that could not be processed. */
  readonly badRows: number;
  /** From opening the first file to the last alert. */
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Of the alerts, whatever their order. */
  readonly digest: string;
  /** Alerts by rule. */
  readonly byPattern: Readonly<Record<string, number>>;
}

/** How rules run; `ownsKey` leaves the other keys to other lanes. */
export type FileRunOptions = RuleOptions &
  Pick<KeyedEngineOptions, 'ownsKey'> & {
    /** More may come after the last event, so windows that are open stay open, as in a service. Default: the input ends. */
    readonly isOpenEnded?: boolean;
  };

/** Nothing to run: no stream with a file, or a rule that fits none of them. */
export class RunError extends Error {
  readonly code = 'RUN';
}

/** Opens the files of all streams that name one. `data`: folder that relative names are in, instead of the config's. */
export async function openStreams(
  settings: Settings,
  data: string | undefined,
  relative: (path: string) => string,
): Promise<FileStream[]> {
  const streams = Object.values(settings.streams).filter((stream) => stream.file !== undefined);
  if (streams.length === 0) throw new RunError('No stream of the config names a file: set streams.<name>.file.');
  return Promise.all(
    streams.map(async (stream) => {
      const name = relative(stream.file!);
      const path = data === undefined || isAbsolute(name) ? stream.file! : join(data, name);
      const reader = stream.schema === undefined ? {} : { reader: readAvroSchema(stream.schema) };
      const format = stream.format === 'avro-confluent' ? 'avro' : stream.format;
      const file = await openRecords(path, { format, ...reader });
      return { settings: stream, file, schema: eventSchemaFor(stream, file.schema) };
    }),
  );
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
  options: FileRunOptions = {},
): Promise<RunResult> {
  const started = now();
  const bytesTotal = streams.reduce((sum, s) => sum + s.file.bytesTotal, 0);
  const totals = new Totals(listener, bytesTotal);
  for (const group of joined(streams, rules)) await runGroup(group, totals, options);
  const seconds = now() - started;
  return { ...totals.result(), seconds, eventsPerSecond: Math.round(totals.events / Math.max(seconds, 1e-9)) };
}

/**
 * Partitions of a topic are run one by one, as in a service, with the rules that are keyed as the topic is; rules of other keys see the
 * events of all partitions, merged.
 */
async function runGroup({ streams, rules }: Joined, totals: Totals, options: FileRunOptions): Promise<void> {
  const [first] = streams;
  const isOfTopic = streams.length > 1 && streams.every(({ settings }) => settings.name === first!.settings.name);
  const own = isOfTopic ? rules.filter((rule) => isKeyedAs(rule, first!.settings.key)) : [];
  for (const stream of own.length > 0 ? streams : []) await new FileRun([stream], own, totals, options).run();
  const others = rules.filter((rule) => !own.includes(rule));
  if (others.length > 0) await new FileRun(streams, others, own.length > 0 ? totals.again() : totals, options).run();
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
      `${rule.source}: ${rule.id} reads the stream ${name}, which has no file: set streams.${name}.file.`,
    );
  });
  if (named.length > 0) return named;
  const fits = streams.find(({ schema }) => rule.fields.every((field) => schema.fields.has(field)));
  if (fits !== undefined) return streams.filter(({ settings }) => settings.name === fits.settings.name);
  const fields = rule.fields.join(', ');
  throw new RunError(`${rule.source}: no stream with a file has all the fields of ${rule.id}: ${fields}.`);
}
