import { type FileStream, isBounded, RunError } from '../../../backtest/run/file-streams.js';
import { type OffsetRange, TopicFile } from '../../../backtest/run/topic-file.js';
import { eventSchemaFor } from '../../../connectors/avro/stream-schema.js';
import { inferSchema } from '../../../connectors/file/formats/infer-schema.js';
import { systemClock } from '../../../connectors/system-clock.js';
import { DecodeFailure } from '../../../runtime/ports/decoder.js';
import type { LogReader } from '../../../runtime/ports/log.js';
import type { Settings, StreamSettings } from '../../../runtime/settings/index.js';
import { openLogToRead } from '../../../service/compose/log.js';
import { makeStream } from '../../../service/compose/streams/stream-parts.js';
import type { Output } from '../../output.js';

const ROWS_TO_INFER_FROM = 1000;

/** What is read of each partition, by topic. */
export type TopicRanges = Readonly<Record<string, readonly OffsetRange[]>>;

export interface TopicStreams {
  readonly log: LogReader;
  /** One for each partition of each topic. */
  readonly streams: readonly FileStream[];
  /** Leaves out what was written before a time. */
  startAt(timestamp: number): Promise<void>;
  ranges(): TopicRanges;
  /** Reads what was read before, and nothing of a partition that was not there. */
  readOnly(ranges: TopicRanges): void;
}

/**
 * A topic in place of the file of a stream: of the one that reads this topic, or else of the one that is scored; and the topics of the other
 * streams that have no file, as far as they are there. They are read apart from any group. Throws `RunError`.
 */
export async function openTopics(
  settings: Settings,
  topic: string,
  scored: string,
  output: Output,
): Promise<TopicStreams> {
  const all = Object.values(settings.streams);
  const of = all.find((stream) => stream.topic === topic) ?? all.find((stream) => stream.name === scored)!;
  if (of.time === undefined) throw new RunError(`streams.${of.name}.time must name the field with the event time.`);
  // A table may have been fed into its topic by the service, which cannot do without a schema.
  const hasTopic = (stream: StreamSettings): boolean =>
    stream.topic !== undefined && (!isBounded(stream) || stream.schema !== undefined);
  const others = all.filter((other) => other !== of && hasTopic(other) && other.time !== undefined);
  const log = await openLogToRead(settings);
  try {
    const own = await streamsOf(log, settings, { ...of, topic }, output);
    if (own.length === 0) throw new RunError(`There is no topic ${topic}.`);
    const opened = [...own];
    for (const other of others) opened.push(...(await streamsOf(log, settings, other, output)));
    return { log, streams: opened, ...positionsOf(opened.map(({ file }) => file)) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

function positionsOf(files: readonly TopicFile[]): Pick<TopicStreams, 'startAt' | 'ranges' | 'readOnly'> {
  return {
    startAt: async (timestamp) => {
      await Promise.all(files.map((file) => file.startAt(timestamp)));
    },
    ranges: () => {
      const topics = [...new Set(files.map(({ at }) => at.topic))];
      return Object.fromEntries(
        topics.map((topic) => [topic, files.filter(({ at }) => at.topic === topic).map(({ offsets }) => offsets)]),
      );
    },
    readOnly: (ranges) => {
      for (const file of files) file.readOnly(ranges[file.at.topic]?.[file.at.partition] ?? NOTHING);
    },
  };
}

const NOTHING: OffsetRange = { begin: 0, end: 0 };

interface PartitionStream extends FileStream {
  readonly file: TopicFile;
}

async function streamsOf(
  log: LogReader,
  settings: Settings,
  stream: StreamSettings,
  output: Output,
): Promise<PartitionStream[]> {
  const parts = makeStream(stream, {
    ...{ settings, clock: systemClock },
    onTrouble: (error) => output.say(`the schema registry does not answer; waiting for it: ${error.message}`),
    onRecovered: () => output.say('the schema registry answers again'),
  });
  const open = (schema: Parameters<typeof TopicFile.open>[2]): Promise<TopicFile[]> =>
    TopicFile.open(log, stream.topic!, schema, (fields) => parts.decoder(fields));
  const avro = parts.avro ?? inferSchema(await firstRows(await open('null')));
  const schema = eventSchemaFor(stream, avro);
  const files = await open(avro);
  return files.map((file) => ({ settings: stream, file, schema, isInferred: parts.avro === null }));
}

/** Whole records, to tell from what fields there are. */
async function firstRows(files: readonly TopicFile[]): Promise<Readonly<Record<string, unknown>>[]> {
  const rows: Readonly<Record<string, unknown>>[] = [];
  for (const file of files) {
    for await (const batch of file.batches([])) {
      for (let i = 0; i < batch.rows.length && rows.length < ROWS_TO_INFER_FROM; i++) {
        const whole = file.decodeWhole(batch.raw(i));
        if (!(whole instanceof DecodeFailure)) rows.push(whole);
      }
      if (rows.length >= ROWS_TO_INFER_FROM) return rows;
    }
  }
  return rows;
}
