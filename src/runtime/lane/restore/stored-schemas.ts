import { ByteReader, visitEvents } from '../../../engine/index.js';
import type { RecordDecoder } from '../../ports/decoder.js';
import type { EntryBlock } from '../../ports/entry-block.js';
import type { LogRecord } from '../../ports/log.js';
import { moveToRaw } from '../../task/stored/event-codec.js';

/** Nothing must be prepared. */
const NONE = -1;

/** Has a decoder get ready for the events inside stored keys, so that each key can be read at any time later. */
export class StoredSchemas {
  private readonly known = new Set<number>();
  private last = NONE;

  constructor(
    private readonly decoder: RecordDecoder,
    private readonly signal: AbortSignal,
  ) {}

  async prepare(block: EntryBlock): Promise<void> {
    const records: LogRecord[] = [];
    const states = new ByteReader(block.bytes);
    const events = new ByteReader(block.bytes);
    const visit = (start: number): void => {
      const length = moveToRaw(events, start);
      const raw = events.position;
      if (this.isKnown(block.bytes, raw, raw + length)) return;
      const value = block.bytes.subarray(raw, raw + length);
      records.push({ offset: 0, timestamp: 0, key: null, value, headers: null });
    };
    for (let i = 0; i < block.count; i++) {
      states.moveTo(block.valueStart(i));
      visitEvents(states, visit);
    }
    if (records.length > 0) await this.decoder.prepare(records, this.signal);
  }

  private isKnown(bytes: Uint8Array, start: number, end: number): boolean {
    const { decoder } = this;
    if (decoder.schemaOf === undefined) return false;
    const schema = decoder.schemaOf(bytes, start, end);
    if (schema === NONE || schema === this.last) return true;
    this.last = schema;
    if (this.known.has(schema)) return true;
    this.known.add(schema);
    return false;
  }
}
