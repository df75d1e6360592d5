import { deserialize, serialize } from 'node:v8';
import type { RowPlace } from '../../connectors/file/record-file.js';
import type { EngineEvent, EventCodec } from '../../engine/index.js';
import { Noted } from '../../runtime/task/noted.js';
import { FileEvent } from './file-event.js';

type Written = readonly [
  time: number,
  seq: number,
  kind: string,
  offset: number,
  stream: string,
  place: RowPlace | null,
  fields: Readonly<Record<string, unknown>>,
  kept: string | null,
  noted: Pick<Noted, 'ids' | 'values'> | null,
];

/**
 * Events as they are, with the very values that their fields have: another process goes on with the same rules, and need not decode them.
 *
 * @param onRead is told of each event that is read.
 */
export const fileEventCodec = (onRead: (event: FileEvent) => void): EventCodec => ({
  encode(event: EngineEvent): Uint8Array {
    const { time, seq, kind, offset, stream, place, fields, keptBytes, noted } = event as FileEvent;
    const notes = noted && { ids: noted.ids, values: noted.values };
    return serialize([time, seq, kind, offset, stream!, place, fields, keptBytes, notes] satisfies Written);
  },
  decode(bytes: Uint8Array): EngineEvent {
    const [time, seq, kind, offset, stream, place, fields, kept, noted] = deserialize(bytes) as Written;
    const event = FileEvent.ofKept({ time, kind, fields, offset, stream, place }, kept);
    event.seq = seq;
    if (noted) event.noted = new Noted(noted.ids, noted.values);
    onRead(event);
    return event;
  },
});
