import { isAbsolute, join } from 'node:path';
import { readAvroSchema } from '../connectors/avro/schema.js';
import { eventSchemaFor } from '../connectors/avro/stream-schema.js';
import { openRecords } from '../connectors/file/open-records.js';
import type { RecordFile, RowBatch } from '../connectors/file/record-file.js';
import type { Match } from '../engine/index.js';
import type { Rule } from '../rules/rule.js';
import type { EventSchema } from '../rules/schema.js';
import type { Alert } from '../runtime/ports/alert.js';
import { DecodeFailure } from '../runtime/ports/decoder.js';
import type { Settings, StreamSettings } from '../runtime/settings/index.js';
import { ownFields, type StreamDefinition, streamDefinition } from '../runtime/stream.js';
import { buildAlert } from '../runtime/task/alert-builder.js';
import { Detection } from '../runtime/task/detection.js';
import { kindOf, missingIdentity, timeOf } from '../runtime/task/interpret.js';
import type { RuleOptions } from '../runtime/task/keyed-engine.js';
import type { SourceEvent } from '../runtime/task/source-event.js';
import { AlertDigest } from './digest.js';
import { FileEvent } from './file-event.js';

/** A stream of the settings with its file open. */
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
  readonly stream: FileStream;
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
      const file = await openRecords(path, { format: stream.format === 'ndjson' ? 'ndjson' : 'avro', ...reader });
      return { settings: stream, file, schema: eventSchemaFor(stream, file.schema) };
    }),
  );
}

/**
 * Runs rules over files, as the live service would over a topic of one partition. Each rule runs on every stream that has all
 * of its fields, and keeps a state for each.
 *
 * @param now a clock in seconds, for the figures.
 */
export async function runFiles(
  streams: readonly FileStream[],
  rules: readonly Rule[],
  listener: RunListener,
  now: () => number,
  options: RuleOptions = {},
): Promise<RunResult> {
  const started = now();
  const totals = new Totals(
    listener,
    streams.reduce((sum, s) => sum + s.file.bytesTotal, 0),
  );
  for (const rule of rules) {
    if (!streams.some((s) => fits(rule, s))) {
      throw new RunError(
        `${rule.source}: no stream with a file has all the fields of ${rule.id}: ${rule.fields.join(', ')}.`,
      );
    }
  }
  for (const stream of streams) {
    const own = rules.filter((rule) => fits(rule, stream));
    if (own.length > 0) await new StreamRun(stream, own, totals, options).run();
  }
  const seconds = now() - started;
  return { ...totals.result(), seconds, eventsPerSecond: Math.round(totals.events / Math.max(seconds, 1e-9)) };
}

const fits = (rule: Rule, stream: FileStream): boolean => rule.fields.every((field) => stream.schema.fields.has(field));

class Totals {
  events = 0;
  alerts = 0;
  late = 0;
  badRows = 0;
  private bytesBefore = 0;
  private readonly digest = new AlertDigest();
  private readonly byPattern: Record<string, number> = {};

  constructor(
    readonly listener: RunListener,
    private readonly bytesTotal: number,
  ) {}

  alert(alert: Alert): void {
    this.alerts++;
    this.byPattern[alert.patternId] = (this.byPattern[alert.patternId] ?? 0) + 1;
    this.digest.add(alert);
    this.listener.onAlert?.(alert);
  }

  found(found: Found): void {
    const { onFound } = this.listener;
    const alert = onFound === undefined ? found.alert() : onFound.call(this.listener, found);
    if (alert !== null) this.alert(alert);
  }

  progress(bytesOfFile: number): void {
    this.listener.onProgress?.((this.bytesBefore + bytesOfFile) / Math.max(1, this.bytesTotal), this.events);
  }

  endOfFile(bytes: number): void {
    this.bytesBefore += bytes;
  }

  result(): Omit<RunResult, 'seconds' | 'eventsPerSecond'> {
    const { events, alerts, late, badRows, byPattern } = this;
    return { events, alerts, late, badRows, digest: this.digest.hex(), byPattern };
  }
}

class StreamRun {
  private readonly definition: StreamDefinition;
  private readonly detection: Detection;

  constructor(
    private readonly stream: FileStream,
    private readonly rules: readonly Rule[],
    private readonly totals: Totals,
    options: RuleOptions,
  ) {
    const { settings, file } = stream;
    this.definition = streamDefinition(settings);
    const topic = settings.topic ?? settings.name;
    const source = {
      placeOf: ({ offset }: SourceEvent) => ({ topic, partition: 0, offset }),
      idFieldOf: () => this.definition.idField,
      decodeWhole: ({ raw }: SourceEvent): Readonly<Record<string, unknown>> => {
        const whole = file.decodeWhole(raw);
        return whole instanceof DecodeFailure ? {} : whole;
      },
    };
    this.detection = new Detection(
      rules,
      this.definition.clock,
      {
        onMatch: (rule, key, match, at) =>
          totals.found({ rule, key, match, at, stream, alert: () => buildAlert(rule, key, match, at, source) }),
      },
      // No cut is ever made of it.
      { ...options, kindParents: this.definition.kindParents, tellsChanges: false },
    );
  }

  async run(): Promise<void> {
    const { file } = this.stream;
    const { listener } = this.totals;
    const asked = listener.fieldsOf?.(this.stream) ?? [];
    const fields = new Set([...this.rules.flatMap((rule) => rule.fields), ...ownFields(this.definition), ...asked]);
    for await (const batch of file.batches(fields)) {
      for (let i = 0; i < batch.rows.length; i++) this.takeIn(batch, i);
      this.detection.drain();
      this.totals.progress(batch.bytesRead);
      if (listener.isEnough?.(this.detection.clock.watermark) === true) break;
    }
    this.detection.finish();
    this.totals.endOfFile(file.bytesTotal);
  }

  private takeIn(batch: RowBatch, index: number): void {
    const row = batch.rows[index]!;
    const { totals, definition } = this;
    const { clock } = this.detection;
    totals.events++;
    const time = missingIdentity(row, definition) ?? timeOf(row, 0, definition);
    if (time instanceof DecodeFailure) {
      totals.badRows++;
      totals.listener.onBadRow?.(this.stream.file.path, batch.first + index, time);
      return;
    }
    totals.listener.onRow?.(this.stream, row.fields, time);
    if (clock.isLate(time)) {
      totals.late++;
    } else {
      clock.accept(
        new FileEvent(
          clock.effectiveTime(time),
          kindOf(row, definition),
          row.fields,
          batch,
          index,
          batch.first + index,
        ),
      );
    }
  }
}
