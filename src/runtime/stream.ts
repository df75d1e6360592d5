import { fieldNameIf } from '../engine/index.js';
import type { StreamSettings } from './settings/index.js';
import type { EventClockOptions } from './task/order/event-clock.js';

/** A stream of events as the runtime sees it: which fields of a decoded record mean what. */
export interface StreamDefinition {
  readonly name: string;
  /** Field that the topic is keyed by; `null`: the record's own key, which is not looked at. */
  readonly keyField: string | null;
  /** `null`: the record's timestamp. */
  readonly timeField: string | null;
  /** `null`: topic, partition and offset. */
  readonly idField: string | null;
  /** Discriminator field for `subtype`; `null`: the record's name. */
  readonly kindField: string | null;
  /** Derived kind to the kind it derives from. */
  readonly kindParents: ReadonlyMap<string, string>;
  readonly clock: EventClockOptions;
  /** A partition at its end without records for so long no longer holds time back; 0: never. */
  readonly idleAfterMs: number;
  /** No records are to come: once a partition is idle, nobody waits for it any more. */
  readonly hasEnded?: boolean;
}

/** The settings of a stream, as the runtime wants them. */
export function streamDefinition(settings: StreamSettings): StreamDefinition {
  return {
    name: settings.name,
    keyField: fieldNameIf(settings.key),
    timeField: fieldNameIf(settings.time),
    idField: fieldNameIf(settings.id),
    kindField: fieldNameIf(settings.type),
    kindParents: new Map(Object.entries(settings.subtypes)),
    clock: { mode: settings.mode, outOfOrdernessMs: settings.outOfOrderness },
    // Rows of a table that is being read may be late in coming, but they come.
    idleAfterMs: settings.feed === 'open' ? 0 : settings.idleAfter,
    ...(settings.feed === 'done' ? { hasEnded: true } : {}),
  };
}

/** The fields of a record that detection itself reads, besides those that rules name. */
export function ownFields(stream: StreamDefinition): string[] {
  return [stream.keyField, stream.timeField, stream.idField, stream.kindField].filter((name) => name !== null);
}
