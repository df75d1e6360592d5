import type { FileHandle } from 'node:fs/promises';
import { type DecodedRecord, DecodeFailure } from '../../../runtime/ports/decoder.js';
import {
  type BranchPlan,
  compileRecordSchema,
  explainFailure,
  Projection,
  type RecordPlan,
  type RecordSchema,
  readRecord,
} from '../../avro/projection.js';
import { type AvroSchema, AvroSchemaError } from '../../avro/schema.js';
import { RecordFileError } from '../file-error.js';
import { type Mark, openAs, type RecordFile, type RowBatch } from '../record-file.js';
import { type Block, type ContainerHeader, readBlocks, readHeader } from './container.js';

/** Small enough that a consumer can look around between batches, large enough that awaiting them costs nothing. */
const BATCH_ROWS_MAX = 4_096;
const COPY_BY_BYTE_MAX = 64;

/** An Avro object container as rows: block by block, each record decoded straight from the decompressed block. */
export class AvroFile implements RecordFile {
  readonly format = 'avro';
  private readonly wholePlan: RecordPlan;

  private constructor(
    readonly path: string,
    readonly bytesTotal: number,
    readonly schema: AvroSchema,
    private readonly handle: FileHandle,
    private readonly header: ContainerHeader,
    private readonly writer: RecordSchema,
    private readonly reader: RecordSchema | null,
  ) {
    this.wholePlan = new Projection(reader, null).plan(writer);
  }

  /** Throws `RecordFileError`, and `AvroSchemaError` for a reader schema that does not hold. */
  static async open(path: string, readerSchema?: AvroSchema): Promise<AvroFile> {
    const reader = readerSchema === undefined ? null : compileRecordSchema(readerSchema);
    return openAs(path, async (handle, size) => {
      try {
        const header = await readHeader(handle, path, size);
        const writer = compileRecordSchema(header.schema);
        return new AvroFile(path, size, readerSchema ?? header.schema, handle, header, writer, reader);
      } catch (error) {
        if (!(error instanceof AvroSchemaError)) throw error;
        throw new RecordFileError('FILE_FORMAT', path, 0, `${path}: ${error.message}`, { cause: error });
      }
    });
  }

  get layout(): string {
    return JSON.stringify(this.header.schema);
  }

  /** A mark is where a block begins, the number of a row in it, and its place there. */
  async *batches(fields: Iterable<string> | null, from: Mark = []): AsyncGenerator<RowBatch> {
    const plan = new Projection(this.reader, fields).plan(this.writer);
    const { dataStart } = this.header;
    const [start = dataStart, row = 0, place = 0] = from;
    let first = row;
    let skipped = place;
    let done = start;
    for await (const block of readBlocks(this.handle, this.path, this.bytesTotal, this.header, start)) {
      const scan = new BlockScan(block, plan, this.path);
      if (skipped > 0) scan.next(skipped);
      skipped = 0;
      while (!scan.isDone) {
        const mark = [block.position, first, scan.place];
        const { rows, starts } = scan.next(BATCH_ROWS_MAX);
        done = scan.isDone ? block.end : done;
        yield new Batch(rows, first, mark, done, block.data, starts);
        first += rows.length;
      }
    }
  }

  decodeWhole(raw: Uint8Array): Readonly<Record<string, unknown>> | DecodeFailure {
    const buf = Buffer.isBuffer(raw) ? raw : Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    const result = readRecord(this.wholePlan, buf, 0);
    return result instanceof DecodeFailure ? result : result.fields;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

class Batch implements RowBatch {
  constructor(
    readonly rows: readonly DecodedRecord[],
    readonly first: number,
    readonly mark: Mark,
    readonly bytesRead: number,
    private readonly data: Buffer,
    /** Where each row begins in `data`, and where the last one ends. */
    private readonly starts: Uint32Array,
  ) {}

  raw(index: number): Buffer {
    return this.data.subarray(this.starts[index], this.starts[index + 1]);
  }

  rawLength(index: number): number {
    return this.starts[index + 1]! - this.starts[index]!;
  }

  copyRaw(index: number, into: Uint8Array, at: number): void {
    const { data, starts } = this;
    const [start, end] = [starts[index]!, starts[index + 1]!];
    if (end - start > COPY_BY_BYTE_MAX) data.copy(into, at, start, end);
    else for (let from = start, to = at; from < end; from++, to++) into[to] = data[from]!;
  }
}

/** Decodes the records of one block, some at a time. */
class BlockScan {
  private pos = 0;
  private taken = 0;

  constructor(
    private readonly block: Block,
    private readonly plan: RecordPlan,
    private readonly path: string,
  ) {
    // A record has at least a byte: a false count must not keep us busy.
    if (block.count > block.data.length) throw this.error('FILE_CORRUPT', 0, `${block.count} records cannot be in it`);
    if (block.count === 0) this.checkEnd();
  }

  /** Of the next record in the block. */
  get place(): number {
    return this.taken;
  }

  get isDone(): boolean {
    return this.taken === this.block.count;
  }

  next(rowsMax: number): { readonly rows: DecodedRecord[]; readonly starts: Uint32Array } {
    const count = Math.min(rowsMax, this.block.count - this.taken);
    const { data } = this.block;
    const rows = new Array<DecodedRecord>(count);
    const starts = new Uint32Array(count + 1);
    for (let i = 0; i < count; i++) {
      const start = this.pos;
      starts[i] = start;
      const branch = this.plan.isUnion ? this.takeBranch() : this.plan.branches[0]!;
      if (branch.type === null) throw this.error('FILE_SCHEMA', i, branch.failure!.detail);
      const from = this.pos;
      let fields: Readonly<Record<string, unknown>>;
      try {
        const decoded = branch.type.decode(data, from, branch.resolver);
        fields = decoded.value as typeof fields;
        this.pos = decoded.offset;
      } catch (error) {
        throw this.explain(branch, from, i, (error as Error).message);
      }
      if (this.pos < 0) throw this.explain(branch, from, i, null);
      rows[i] = { fields, recordName: branch.recordName };
    }
    starts[count] = this.pos;
    this.taken += count;
    if (this.isDone) this.checkEnd();
    return { rows, starts };
  }

  private takeBranch(): BranchPlan {
    const index = this.block.data[this.pos++];
    const branch = index === undefined || index & 0x81 ? undefined : this.plan.branches[index >> 1];
    if (branch === undefined) throw this.error('FILE_CORRUPT', 0, 'a union branch does not exist');
    return branch;
  }

  private checkEnd(): void {
    const { data, count } = this.block;
    if (this.pos === data.length) return;
    throw this.error('FILE_CORRUPT', 0, `${data.length - this.pos} bytes are left after its ${count} records`);
  }

  private explain(branch: BranchPlan, from: number, index: number, message: string | null): RecordFileError {
    const { detail } = explainFailure(branch.writer!, this.block.data, from, message);
    return this.error('FILE_CORRUPT', index, detail);
  }

  private error(code: 'FILE_CORRUPT' | 'FILE_SCHEMA', index: number, why: string): RecordFileError {
    const { position } = this.block;
    const where = `${this.path}, block at byte ${position}, record ${this.taken + index}`;
    return new RecordFileError(code, this.path, position, `${where}: ${why}`);
  }
}
