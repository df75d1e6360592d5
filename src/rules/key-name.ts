import type { KeyBy } from './rule.js';

/** The name of a key: equal for keys that mean the same. */
export function keyName(key: KeyBy): string {
  switch (key.form) {
    case 'one':
      return key.field;
    case 'pair':
      return key.fields.join('+');
    case 'each':
      return key.fields.join('|');
    case 'by':
      return Object.entries(key.streams)
        .map(([stream, field]) => `${stream}.${field}`)
        .sort()
        .join(',');
  }
}

/** The fields of one stream's events that the key is taken from. */
export function keyFields(key: KeyBy, stream: string | undefined): readonly string[] {
  if (key.form === 'one') return [key.field];
  if (key.form !== 'by') return key.fields;
  const field = stream === undefined ? undefined : key.streams[stream];
  return field === undefined ? [] : [field];
}
