import type { EngineEvent, ToldFeatures } from '../../engine/index.js';
import type { Noted } from './noted.js';

/** An event with the record that it was read of. */
export interface RecordedEvent extends EngineEvent {
  readonly offset: number;
  /** The record's value. */
  readonly raw: Uint8Array;
  /** W3C trace context of the record, or `null`. */
  readonly traceparent: string | null;
  /** What conditions of its key read at it; `null`: nothing that would have to be noted. */
  readonly noted: Noted | null;
}

/** An event with where it came from. */
export class SourceEvent implements RecordedEvent {
  /** Set when the event leaves the order buffer: its place in the order of processing. */
  seq = 0;
  /** Of an object of its own for one key: see `Notes`. */
  noted: Noted | null = null;
  /** See `EngineEvent`; `null`: nothing was told. */
  told: ToldFeatures | null = null;

  constructor(
    /** Event time in ms. In arrival mode never less than that of the event before. */
    readonly time: number,
    readonly kind: string,
    readonly fields: Readonly<Record<string, unknown>>,
    readonly offset: number,
    /** The record's value as it came. Until `detach` a view of the batch it was read in. */
    private bytes: Uint8Array,
    /** W3C trace context of the record, or `null`. */
    readonly traceparent: string | null,
    private detached = false,
    readonly stream: string | undefined = undefined,
    /** Of a forwarded event: the value of the key that it was forwarded for. */
    readonly forKey: string | null = null,
  ) {}

  get raw(): Uint8Array {
    return this.bytes;
  }

  /** Another object of the same event. */
  copy(): SourceEvent {
    const { time, kind, fields, offset, raw, traceparent, detached, stream, forKey } = this;
    const copy = new SourceEvent(time, kind, fields, offset, raw, traceparent, detached, stream, forKey);
    copy.seq = this.seq;
    copy.told = this.told;
    return copy;
  }

  /** Adds what features of another key are at it. */
  tell(told: ToldFeatures): void {
    this.told = this.told === null ? told : { ...this.told, ...told };
  }

  /** Copies the value, so that keeping the event does not keep the batch it came in. */
  detach(): void {
    if (this.detached) return;
    this.bytes = copyOf(this.bytes);
    this.detached = true;
  }
}

/** A copy in memory of its own. (`slice` of a Buffer is a view.) */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}
