import { type FileStream, RunError } from '../../../backtest/run-files.js';
import { type OffsetRange, TopicFile } from '../../../backtest/topic-file.js';
import { eventSchemaFor } from '../../../connectors/avro/stream-schema.js';
import { inferSchema } from '../../../connectors/file/infer-schema.js';
import { systemClock } from '../../../connectors/system-clock.js';
import { DecodeFailure } from '../../../runtime/ports/decoder.js';
import type { LogReader } from '../../../runtime/ports/log.js';
import type { Settings, StreamSettings } from '../../../runtime/settings/index.js';
import { openLogToRead } from '../../../service/compose/log.js';
import { makeStream } from '../../../service/compose/stream-parts.js';
import type { Output } from '../../output.js';

const ROWS_TO_INFER_FROM = 1000;

export interface TopicStreams {
  readonly log: LogReader;
  /** One for each partition. */
  readonly streams: readonly FileStream[];
  /** Leaves out what was written before a time. */
  startAt(timestamp: number): Promise<void>;
  /** What is read of each partition. */
  ranges(): readonly OffsetRange[];
  /** Reads what was read before. */
  readOnly(ranges: readonly OffsetRange[]): void;
}

/**
 * A topic in place of the file of a stream: of the one that reads this topic, or else of the one that is scored. It is read apart from
 * any group. Throws `RunError`.
 */
export async function openTopic(
  settings: Settings,
  topic: string,
  scored: string,
  output: Output,
): Promise<TopicStreams> {
  const all = Object.values(settings.streams);
  const of = all.find((stream) => stream.topic === topic) ?? all.find((stream) => stream.name === scored)!;
  if (of.time === undefined) throw new RunError(`streams.${of.name}.time must name the field with the event time.`);
  const log = openLogToRead(settings);
  try {
    const { streams, files } = await streamsOf(log, settings, { ...of, topic }, output);
    const startAt = async (timestamp: number): Promise<void> => {
      await Promise.all(files.map((file) => file.startAt(timestamp)));
    };
    const ranges = (): readonly OffsetRange[] => files.map((file) => file.offsets);
    const readOnly = (known: readonly OffsetRange[]): void => {
      for (const [partition, range] of known.entries()) files[partition]?.readOnly(range);
    };
    if (streams.length > 0) return { log, streams, startAt, ranges, readOnly };
    throw new RunError(`There is no topic ${topic}.`);
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function streamsOf(
  log: LogReader,
  settings: Settings,
  stream: StreamSettings,
  output: Output,
): Promise<{ readonly streams: FileStream[]; readonly files: TopicFile[] }> {
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
  return { files, streams: files.map((file) => ({ settings: stream, file, schema })) };
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
