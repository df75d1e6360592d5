import type { Vocabulary } from '../api/types.js';
import { placeIn } from './yaml-place.js';

/** As much of JSON Schema as the schema of patterns uses. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

export interface Suggestion {
  readonly label: string;
  readonly kind: 'key' | 'value' | 'field' | 'step' | 'feature' | 'function' | 'list';
  readonly detail: string;
  readonly apply: string;
}

export interface Suggestions {
  readonly from: number;
  readonly options: readonly Suggestion[];
}

/** What is written where words of conditions belong. */
const CONDITIONS = new Set(['where', 'or', 'until', 'having', 'score']);
const FIELDS = new Set([
  'key',
  'sum',
  'avg',
  'min',
  'max',
  'stddev',
  'median',
  'quantile',
  'distinct',
  'first',
  'last',
  'each',
]);
const STEP_KEYS = /^\s*(?:-\s+)*(?:begin|next|followedBy|followedByAny|notNext|notFollowedBy)\s*:\s*([A-Za-z_]\w*)/gm;
const FEATURE_NAMES = /(?:^|[\s{])name\s*:\s*([A-Za-z_]\w*)/gm;
const NEEDS_MORE = new Set(['object', 'array']);

/** What may stand where one writes; null: nothing is known. */
export function suggest(text: string, offset: number, schema: Schema, words: Vocabulary | null): Suggestions | null {
  const { path, at, word, from, siblings } = placeIn(text, offset);
  const schemas = schemasAt(schema, path);
  if (at === 'key') {
    const keys = schemas.flatMap((of) => Object.entries(of.properties ?? {}));
    const unique = new Map(keys.filter(([name]) => !siblings.includes(name)));
    return { from, options: [...unique].map(([name, of]) => keySuggestion(name, of, schema)) };
  }
  const name = path.findLast((part) => part !== '[]') ?? '';
  if (CONDITIONS.has(name)) return inCondition(text, word, from, words);
  const values = schemas.flatMap((of) => [...(of.enum ?? []), ...(of.const === undefined ? [] : [of.const])]);
  const options = [
    ...values.map((value): Suggestion => ({ ...plain(String(value)), kind: 'value' })),
    ...namesFor(name, words),
  ];
  return options.length === 0 ? null : { from, options };
}

const plain = (label: string): Suggestion => ({ label, kind: 'value', detail: '', apply: label });

function keySuggestion(name: string, of: Schema, root: Schema): Suggestion {
  const [resolved = of] = resolve(of, root);
  const more = NEEDS_MORE.has(resolved.type ?? '') ? ':' : ': ';
  return { label: name, kind: 'key', detail: of.description ?? resolved.description ?? '', apply: name + more };
}

function namesFor(name: string, words: Vocabulary | null): readonly Suggestion[] {
  if (words === null) return [];
  if (FIELDS.has(name)) return fieldsOf(words);
  if (name === 'from') return words.streams.map((stream) => plain(stream.name));
  if (name === 'subtype') return words.streams.flatMap(({ kinds }) => kinds ?? []).map(plain);
  return [];
}

function inCondition(text: string, word: string, from: number, words: Vocabulary | null): Suggestions {
  const dot = word.lastIndexOf('.');
  const fields = words === null ? [] : fieldsOf(words);
  if (dot >= 0) return { from: from + dot + 1, options: fields };
  const steps = [...new Set([...text.matchAll(STEP_KEYS)].map(([, name]) => name!))];
  const features = [...new Set([...text.matchAll(FEATURE_NAMES)].map(([, name]) => name!))];
  return {
    from,
    options: [
      ...fields,
      ...features.map((name): Suggestion => ({ ...plain(name), kind: 'feature', detail: 'a feature of this rule' })),
      ...steps.map(
        (name): Suggestion => ({ ...plain(name), kind: 'step', detail: 'a step of this rule', apply: `${name}.` }),
      ),
      ...(words?.functions ?? []).map((name): Suggestion => ({ ...plain(name), kind: 'function', apply: `${name}(` })),
      ...(words?.lists ?? []).map(({ name, kind }): Suggestion => {
        return { label: `list('${name}')`, kind: 'list', detail: kind, apply: `list('${name}')` };
      }),
    ],
  };
}

function fieldsOf({ streams }: Vocabulary): readonly Suggestion[] {
  const found = new Map<string, Suggestion>();
  for (const { fields } of streams) {
    for (const { name, type, optional, doc } of fields ?? []) {
      const detail = `${type}${optional ? ', may be missing' : ''}${doc === null ? '' : `: ${doc}`}`;
      found.set(name, { ...plain(name), kind: 'field', detail });
    }
  }
  return [...found.values()];
}

/** All that the schema allows at a path. */
function schemasAt(root: Schema, path: readonly string[]): readonly Schema[] {
  let now = resolve(root, root);
  for (const part of path) {
    now = now
      .flatMap((of) => (part === '[]' ? (of.items ?? []) : (of.properties?.[part] ?? [])))
      .flatMap((of) => resolve(of as Schema, root));
  }
  return now;
}

/** The schema, with what it refers to and its alternatives. */
function resolve(of: Schema, root: Schema): readonly Schema[] {
  const named = of.$ref === undefined ? undefined : root.$defs?.[of.$ref.replace('#/$defs/', '')];
  const parts = [
    ...(named === undefined ? [] : [named]),
    ...(of.anyOf ?? []),
    ...(of.oneOf ?? []),
    ...(of.allOf ?? []),
  ];
  const own = of.properties ?? of.items ?? of.enum ?? of.const ?? of.type;
  return [...(own === undefined ? [] : [of]), ...parts.flatMap((part) => resolve(part, root))];
}
