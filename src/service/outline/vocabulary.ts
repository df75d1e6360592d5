import { FUNCTIONS } from '../../engine/index.js';
import type { EventSchema, KnownLists, RuleStream } from '../../rules/index.js';

/** What a rule may name: for editors that complete it. */
export interface Vocabulary {
  readonly streams: readonly {
    readonly name: string;
    /** `null`: nothing is known of its events. */
    readonly fields: readonly VocabularyField[] | null;
    /** What `subtype` may be; `null`: anything. */
    readonly kinds: readonly string[] | null;
  }[];
  readonly lists: readonly { readonly name: string; readonly kind: 'set' | 'map' }[];
  /** Names of functions that conditions may call. */
  readonly functions: readonly string[];
}

export interface VocabularyField {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  /** Values of an enum. */
  readonly symbols: readonly string[] | null;
  readonly doc: string | null;
}

export function vocabularyOf(streams: readonly RuleStream[], lists: KnownLists): Vocabulary {
  return {
    streams: streams.map(({ name, schema }) => ({
      name,
      fields: schema === null ? null : fieldsOf(schema),
      kinds: schema?.kinds ? [...schema.kinds] : null,
    })),
    lists: [...lists].map(([name, kind]) => ({ name, kind })),
    functions: [...FUNCTIONS.keys()],
  };
}

const fieldsOf = ({ fields }: EventSchema): readonly VocabularyField[] =>
  [...fields.values()].map(({ name, type, optional, symbols, doc }) => ({
    ...{ name, type, optional },
    ...{ symbols: symbols ?? null, doc: doc ?? null },
  }));
