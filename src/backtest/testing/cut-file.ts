import type { Mark, RecordFile, RowBatch } from '../../connectors/file/record-file.js';

/** A file whose batches have few rows. */
export class CutFile implements RecordFile {
  constructor(
    private readonly file: RecordFile,
    private readonly rowsMax: number,
  ) {}

  get path(): string {
    return this.file.path;
  }

  get format(): RecordFile['format'] {
    return this.file.format;
  }

  get layout(): string {
    return this.file.layout;
  }

  get schema(): RecordFile['schema'] {
    return this.file.schema;
  }

  get bytesTotal(): number {
    return this.file.bytesTotal;
  }

  async *batches(fields: Iterable<string> | null, [skip = 0, ...from]: Mark = []): AsyncGenerator<RowBatch> {
    let begin = skip;
    for await (const batch of this.file.batches(fields, from)) {
      for (let at = begin; at < batch.rows.length; at += this.rowsMax) {
        const { placeOf } = batch;
        yield {
          rows: batch.rows.slice(at, at + this.rowsMax),
          first: batch.first + at,
          mark: [at, ...batch.mark],
          bytesRead: batch.bytesRead,
          ...(batch.isWhole === true && { isWhole: true }),
          raw: (index) => batch.raw(at + index),
          ...(placeOf === undefined ? {} : { placeOf: (index: number) => placeOf.call(batch, at + index) }),
        };
      }
      begin = 0;
    }
  }

  decodeWhole(raw: Uint8Array): ReturnType<RecordFile['decodeWhole']> {
    return this.file.decodeWhole(raw);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
