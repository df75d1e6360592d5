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
  /** What features of other keys (`Feature.of`) were at it, by their canonical JSON; one that is not there is missing. */
  readonly told?: ToldFeatures | null;
}

export type ToldFeatures = Readonly<Record<string, number | string | boolean | null>>;
