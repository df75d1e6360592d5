import { fieldName } from '../engine/index.js';
import type { KeyBy } from './rule.js';

/** What a key is taken from. */
export interface Keyed {
  readonly stream?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const NONE: readonly string[] = [];

/** A function that tells the keys an event counts for, in order; none: it has no part in rules of this key. */
export function keysBy(key: KeyBy): (event: Keyed) => readonly string[] {
  switch (key.form) {
    case 'one': {
      const field = fieldName(key.field);
      return ({ fields }) => listOf(keyText(fields[field]));
    }
    case 'by': {
      const byStream = new Map(Object.entries(key.streams).map(([stream, field]) => [stream, fieldName(field)]));
      return ({ stream, fields }) => {
        const field = byStream.get(stream ?? '');
        return field === undefined ? NONE : listOf(keyText(fields[field]));
      };
    }
    case 'pair': {
      const names = key.fields.map(fieldName);
      return ({ fields }) => listOf(pairText(names, fields));
    }
    case 'each': {
      const names = key.fields.map(fieldName);
      return ({ fields }) => eachOf(names, fields);
    }
  }
}

/** The value of a key as text; `null`: there is none. */
export function keyText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? null : String(value);
}

const listOf = (key: string | null): readonly string[] => (key === null ? NONE : [key]);

/** Joined by `/`; a `/` or `\` in a value stands behind a `\`, so that no two pairs read the same. */
function pairText(names: readonly string[], fields: Keyed['fields']): string | null {
  let joined: string | null = null;
  for (const name of names) {
    const text = keyText(fields[name]);
    if (text === null) return null;
    const part = /[/\\]/.test(text) ? text.replace(/[/\\]/g, '\\$&') : text;
    joined = joined === null ? part : `${joined}/${part}`;
  }
  return joined;
}

function eachOf(names: readonly string[], fields: Keyed['fields']): readonly string[] {
  const keys: string[] = [];
  for (const name of names) {
    const text = keyText(fields[name]);
    if (text !== null && !keys.includes(text)) keys.push(text);
  }
  return keys;
}
