import type { EngineEvent, Scalar } from '../../engine/index.js';
import type { HeldRecord } from '../../runtime/keys/states/slot-events.js';
import type { HeldEvents } from '../../runtime/task/keyed/begun-runs.js';
import { Noted } from '../../runtime/task/noted.js';
import { FileEvent } from './file-event.js';

/** What many events have in common; `topic`: `null` of a file. */
interface Form {
  readonly stream: string;
  readonly names: readonly string[];
  readonly topic: string | null;
  readonly partition: number;
}

/** Where there are more forms, events stay objects. */
const FORMS_MAX = 256;
const BYTES_MIN = 1 << 10;
/** How a value is written, in its first byte. */
const [NULL, UNDEFINED, FALSE, TRUE, INT, DOUBLE, LATIN, WIDE] = [0, 1, 2, 3, 4, 5, 6, 7];
const LATIN_MAX = 0xff;
const NUMBER_BYTES = 9;

/** Events of files with the very values that their fields have. What is written is read by the same object alone. */
export class HeldFileEvents implements HeldEvents {
  private bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
  private at = 0;
  private readonly forms: Form[] = [];
  private latest = 0;

  get written(): Uint8Array {
    return this.bytes;
  }

  write(event: EngineEvent, noted: readonly (Scalar | null)[]): number {
    const own = event as FileEvent;
    const form = this.formOf(own);
    if (form < 0) return -1;
    this.at = 0;
    this.bytes[this.at++] = form;
    const { fields } = own;
    // In the order of the form's names. So read, values are found without a look-up of each name.
    for (const name in fields) if (!this.value(fields[name])) return -1;
    for (let i = 0; i < noted.length; i++) if (!this.value(noted[i])) return -1;
    this.value(own.kind);
    this.record(own);
    return this.at;
  }

  read({ time, seq, offset, bytes }: HeldRecord, ids: readonly number[]): FileEvent {
    const input = new ValueReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 1);
    const { stream, names, topic, partition } = this.forms[bytes[0]!]!;
    const fields: Record<string, unknown> = {};
    for (const name of names) fields[name] = input.next();
    const values = ids.map(() => input.next() as Scalar | null);
    const kind = input.next() as string;
    const place = topic === null ? null : { topic, partition, offset };
    const event = FileEvent.ofKept({ time, kind, fields, offset, stream, place }, input.next() as string | null);
    event.seq = seq;
    if (ids.length > 0) event.noted = new Noted(ids, values);
    return event;
  }

  /** Number of the event's form; -1: it is one too many. */
  private formOf(event: FileEvent): number {
    const { forms } = this;
    if (forms.length > 0 && isOf(forms[this.latest]!, event)) return this.latest;
    let found = forms.findIndex((form) => isOf(form, event));
    if (found < 0 && forms.length === FORMS_MAX) return -1;
    if (found < 0) {
      const { stream, fields, place } = event;
      const { topic = null, partition = 0 } = place ?? {};
      found = forms.push({ stream: stream!, names: Object.keys(fields), topic, partition }) - 1;
    }
    this.latest = found;
    return found;
  }

  /** False: it is of a type that is not written. */
  private value(value: unknown): boolean {
    this.reserve(NUMBER_BYTES);
    const { bytes } = this;
    if (typeof value === 'number') {
      const int = value | 0;
      if (Object.is(int, value)) {
        bytes[this.at++] = INT;
        bytes[this.at++] = int;
        bytes[this.at++] = int >> 8;
        bytes[this.at++] = int >> 16;
        bytes[this.at++] = int >> 24;
        return true;
      }
      bytes[this.at++] = DOUBLE;
      this.at = bytes.writeDoubleLE(value, this.at);
      return true;
    }
    if (typeof value === 'string') return this.text(value);
    if (value !== null && value !== undefined && typeof value !== 'boolean') return false;
    bytes[this.at++] = value === null ? NULL : value === undefined ? UNDEFINED : value ? TRUE : FALSE;
    return true;
  }

  private text(value: string): true {
    const { length } = value;
    this.reserve(NUMBER_BYTES + 2 * length);
    const { bytes } = this;
    const start = this.at + 5;
    let wide = 0;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      bytes[start + i] = code;
      wide |= code;
    }
    const isLatin = wide <= LATIN_MAX;
    if (!isLatin) bytes.write(value, start, 'utf16le');
    const size = isLatin ? length : 2 * length;
    this.at = this.head(isLatin ? LATIN : WIDE, size) + size;
    return true;
  }

  /** The bytes of the record, as a text with a character for each. */
  private record(event: FileEvent): void {
    const length = event.rawLength;
    if (length < 0) {
      this.value(event.keptBytes);
      return;
    }
    this.reserve(NUMBER_BYTES + length);
    const start = this.head(LATIN, length);
    event.copyRaw(this.bytes, start);
    this.at = start + length;
  }

  /** What comes before a text of so many bytes; answers where these begin. */
  private head(tag: number, size: number): number {
    const { bytes, at } = this;
    bytes[at] = tag;
    bytes[at + 1] = size;
    bytes[at + 2] = size >> 8;
    bytes[at + 3] = size >> 16;
    bytes[at + 4] = size >> 24;
    return at + 5;
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.at + more));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

class ValueReader {
  constructor(
    private readonly bytes: Buffer,
    private at: number,
  ) {}

  next(): unknown {
    const { bytes } = this;
    const tag = bytes[this.at++]!;
    if (tag === INT) {
      this.at += 4;
      return bytes.readInt32LE(this.at - 4);
    }
    if (tag === DOUBLE) {
      this.at += 8;
      return bytes.readDoubleLE(this.at - 8);
    }
    if (tag >= LATIN) {
      const start = this.at + 4;
      this.at = start + bytes.readUInt32LE(this.at);
      return bytes.toString(tag === LATIN ? 'latin1' : 'utf16le', start, this.at);
    }
    return tag === NULL ? null : tag === UNDEFINED ? undefined : tag === TRUE;
  }
}

function isOf({ stream, names, topic, partition }: Form, event: FileEvent): boolean {
  const { place } = event;
  if (event.stream !== stream || (place === null ? null : place.topic) !== topic) return false;
  if (place !== null && place.partition !== partition) return false;
  let i = 0;
  for (const name in event.fields) if (names[i++] !== name) return false;
  return i === names.length;
}
