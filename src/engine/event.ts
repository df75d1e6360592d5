export type FieldValue = unknown;

/** An event as the engine sees it. The engine never changes one. */
export interface EngineEvent {
  /** Event time, in milliseconds since 1970. */
  readonly time: number;
  /** Position in the order of arrival; distinct within one stream of a task. */
  readonly seq: number;
  /** What `subtype` tests: the record name of a union, or the value of a discriminator field. Empty when there is none. */
  readonly kind: string;
  /** Name of the stream that it is of, where there are several. */
  readonly stream?: string;
  /** Decoded fields by name. Only the fields that the loaded rules use need to be there. */
  readonly fields: Readonly<Record<string, FieldValue>>;
}
