import type { Match } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { DecodeFailure } from '../../runtime/ports/decoder.js';
import type { NearMissRecord } from '../../runtime/ports/near-miss.js';
import type { AlertSource } from '../../runtime/task/alert/alert-builder.js';
import type { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import type { RuleOptions } from '../../runtime/task/keyed/keyed-engine.js';
import type { SourceEvent } from '../../runtime/task/source-event.js';
import type { FileStream } from './file-streams.js';

/** How rules run. */
export interface FileRunOptions extends RuleOptions {
  /** What stands for personal values in alerts; absent: the values themselves. */
  readonly pseudonyms?: Pseudonyms | undefined;
  /** More may come after the last event, so windows that are open stay open, as in a service. Default: the input ends. */
  readonly isOpenEnded?: boolean;
  /** The keys that are wanted; the others are left to other lanes. Default: all. */
  readonly ownsKey?: (key: string) => boolean;
}

/** A match, before its alert is made. */
export interface Found {
  readonly rule: Rule;
  readonly key: string;
  readonly match: Match;
  /** Event time at which it was complete, in ms. */
  readonly at: number;
  /** Makes the alert; counts nothing. */
  alert(): Alert;
}

export interface RunListener {
  onAlert?(alert: Alert): void;
  /** Of rules that tell them. */
  onNearMiss?(nearMiss: NearMissRecord): void;
  /** Gets every match instead, and says of which it wants alerts: those alone are counted, digested and told. */
  onFound?(found: Found): Alert | null;
  /** Every row with a valid time, late ones too, in the order of the file. */
  onRow?(stream: FileStream, fields: Readonly<Record<string, unknown>>, time: number): void;
  /** An event has had its turn, in order of event time; what it completed was told before. */
  onProcessed?(event: SourceEvent, source: AlertSource): void;
  /** Fields of a stream that `onRow` and `onFound` read besides those of the rules. */
  fieldsOf?(stream: FileStream): readonly string[];
  /** Asked after each batch: whether what comes after this event time may be left unread. */
  isEnough?(watermark: number): boolean;
  /** After each batch; `fraction` is of all bytes, 0 to 1. */
  onProgress?(fraction: number, events: number): void;
  /** A row that has no key, id or valid time. */
  onBadRow?(file: string, row: number, failure: DecodeFailure): void;
}

export interface RunResult {
  readonly events: number;
  readonly alerts: number;
  readonly late: number;
  /** Partial matches that ended one step short, of rules that tell them. */
  readonly nearMisses: number;
  /** Rows that could not be processed. */
  readonly badRows: number;
  /** From opening the first file to the last alert. */
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Of the alerts, whatever their order. */
  readonly digest: string;
  /** Alerts by rule. */
  readonly byPattern: Readonly<Record<string, number>>;
  /** Of rules that saw several partitions merged, by rule: event time that all of them have passed, in ms. A service waits there for those without new events. */
  readonly passedByAll: Readonly<Record<string, number>>;
}
