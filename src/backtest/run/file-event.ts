import type { RowBatch, RowPlace } from '../../connectors/file/record-file.js';
import { SourceEvent } from '../../runtime/task/source-event.js';

const NOTHING = new Uint8Array(0);

/**
 * An event read from a file. Its bytes are only looked up when it is kept: most rows never need them. What is kept is a text with a
 * character for each byte, because a small array of bytes takes some three hundred more than it holds.
 */
export class FileEvent extends SourceEvent {
  /** `null`: `fields` are all that there is. */
  private kept: string | null = '';

  constructor(
    time: number,
    kind: string,
    fields: Readonly<Record<string, unknown>>,
    private batch: RowBatch | null,
    private readonly index: number,
    row: number,
    stream: string,
    /** Of a topic; `null`: it comes from a file. */
    readonly place: RowPlace | null,
  ) {
    super(time, kind, fields, row, NOTHING, null, true, stream);
  }

  override copy(): FileEvent {
    const { time, kind, fields, batch, index, offset, place } = this;
    const copy = new FileEvent(time, kind, fields, batch, index, offset, this.stream!, place);
    copy.kept = this.kept;
    copy.seq = this.seq;
    copy.told = this.told;
    return copy;
  }

  /** An event that was kept, by another process too. */
  static ofKept(
    of: Pick<FileEvent, 'time' | 'kind' | 'fields' | 'offset' | 'place'> & { stream: string },
    kept: string | null,
  ): FileEvent {
    const event = new FileEvent(of.time, of.kind, of.fields, null, 0, of.offset, of.stream, of.place);
    event.kept = kept;
    return event;
  }

  /** The bytes of its record, a character for each; `null`: its fields are all that there is. */
  get keptBytes(): string | null {
    const { batch } = this;
    if (batch === null) return this.kept;
    return batch.isWhole === true ? null : batch.raw(this.index).toString('latin1');
  }

  /** How many bytes `copyRaw` copies; -1: it cannot, and there is `keptBytes`. */
  get rawLength(): number {
    const { batch } = this;
    if (batch === null || batch.isWhole === true || batch.copyRaw === undefined) return -1;
    return batch.rawLength!(this.index);
  }

  copyRaw(into: Uint8Array, at: number): void {
    this.batch!.copyRaw!(this.index, into, at);
  }

  override get raw(): Uint8Array {
    if (this.batch !== null) return this.batch.raw(this.index);
    return this.kept === null ? Buffer.from(JSON.stringify(this.fields)) : Buffer.from(this.kept, 'latin1');
  }

  override detach(): void {
    if (this.batch === null) return;
    this.kept = this.keptBytes;
    this.batch = null;
  }
}
