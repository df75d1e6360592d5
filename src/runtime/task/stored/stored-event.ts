import { Noted } from '../noted.js';
import type { RecordedEvent } from '../source-event.js';

/** What is read of a stored record when something asks for it. */
export interface ReadRecord {
  readonly kind: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly stream?: string;
}

/**
 * An event as a key state holds it: the bytes of the state, and where in them its record is. The record is decoded when something
 * asks for its fields, which most conditions never do: they look at the event that comes. So a state is read at little more than
 * the cost of its runs, and an event of it that is an object costs little more than its bytes.
 */
export class StoredEvent implements RecordedEvent {
  private decoded: ReadRecord | null = null;
  private readNotes: Noted | null = null;

  /**
   * @param memory of the whole state; `from` and `to` are where the event is in it, as it was stored, and `rawFrom` and `to` its record.
   * @throws whatever `read` throws, when the record is asked for.
   */
  constructor(
    readonly time: number,
    readonly seq: number,
    readonly offset: number,
    readonly traceparent: string | null,
    /** `null`: nothing was noted. */
    private readonly notes: Uint8Array | null,
    private readonly memory: ArrayBufferLike,
    private readonly from: number,
    private readonly rawFrom: number,
    private readonly to: number,
    private readonly read: (raw: Uint8Array, offset: number) => ReadRecord,
  ) {}

  /** As it was stored: a view. */
  get stored(): Uint8Array {
    return new Uint8Array(this.memory, this.from, this.to - this.from);
  }

  get raw(): Uint8Array {
    return new Uint8Array(this.memory, this.rawFrom, this.to - this.rawFrom);
  }

  get noted(): Noted | null {
    if (this.notes !== null) this.readNotes ??= Noted.read(this.notes);
    return this.readNotes;
  }

  get kind(): string {
    return this.record.kind;
  }

  get fields(): Readonly<Record<string, unknown>> {
    return this.record.fields;
  }

  get stream(): string | undefined {
    return this.record.stream;
  }

  private get record(): ReadRecord {
    this.decoded ??= this.read(this.raw, this.offset);
    return this.decoded;
  }
}
