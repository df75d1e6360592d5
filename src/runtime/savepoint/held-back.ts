import { DecodeFailure, type RecordDecoder } from '../ports/decoder.js';
import type { LogRecord } from '../ports/log.js';
import type { StreamDefinition } from '../stream.js';
import { missingIdentity, timeOf } from '../task/interpret.js';
import type { SavepointFile } from './file-reader.js';
import type { Source } from './plan.js';

/** How records are read. */
export interface RecordReader {
  readonly decoder: RecordDecoder;
  readonly stream: StreamDefinition;
}

/** A record that was taken in, and waited for the watermark when the savepoint was taken. */
export interface HeldBack {
  readonly record: LogRecord;
  /** Event time in ms. */
  readonly time: number;
}

/** In order of time, and within one time in order of partition and offset: so that none is late behind another. */
export async function heldBackIn(
  files: readonly SavepointFile[],
  sources: readonly Source[],
  { decoder, stream }: RecordReader,
  signal: AbortSignal,
): Promise<HeldBack[]> {
  const found: (HeldBack & { readonly partition: number })[] = [];
  for (const [file, { parts }] of files.entries()) {
    for await (const part of parts()) {
      if (part.kind !== 'records') continue;
      const source = sources.find((s) => s.file === file && s.place === part.partition);
      if (source === undefined) continue;
      const { partition, cut } = source;
      await decoder.prepare(part.records, signal);
      for (const record of part.records) {
        const decoded = decoder.decode(record, partition);
        // What cannot be read was sent to the dead letters when it came.
        if (decoded instanceof DecodeFailure || missingIdentity(decoded, stream) !== null) continue;
        const time = timeOf(decoded, record.timestamp, stream);
        if (typeof time === 'number' && time > cut.watermark)
          found.push({ record, time, partition: partition.partition });
      }
    }
  }
  return found.sort((a, b) => a.time - b.time || a.partition - b.partition || a.record.offset - b.record.offset);
}
