import { readFileSync } from 'node:fs';
import type { Vocabulary } from '../api/types.js';
import { type Schema, suggest } from './suggest.js';

const schema = JSON.parse(readFileSync('schemas/pattern.schema.json', 'utf8')) as Schema;
const field = (name: string) => ({ name, type: 'number', optional: false, doc: null });
const words: Vocabulary = {
  streams: [{ name: 'payments', fields: [field('amount'), field('country')], kinds: ['Payment', 'Transfer'] }],
  lists: [{ name: 'sanctioned', kind: 'set' }],
  functions: ['hour'],
};

function labels(text: string): readonly string[] {
  const offset = text.indexOf('‸');
  return suggest(text.replace('‸', ''), offset, schema, words)?.options.map(({ label }) => label) ?? [];
}

describe('completion in the editor', () => {
  it('knows the keys of a rule, but those that are there', () => {
    expect(labels('id: a\n‸')).toEqual(expect.arrayContaining(['title', 'key', 'within', 'pattern', 'alert']));
    expect(labels('id: a\n‸')).not.toContain('id');
    expect(labels('pattern:\n  - begin: a\n    ‸')).toEqual(expect.arrayContaining(['where', 'subtype', 'times']));
    expect(labels('alert:\n  ‸')).toEqual(expect.arrayContaining(['severity', 'score', 'message']));
    expect(labels('features:\n  - ‸')).toEqual(expect.arrayContaining(['name', 'count', 'over']));
  });

  it('knows what a value may be', () => {
    expect(labels('status: ‸')).toEqual(['draft', 'shadow', 'live', 'retired']);
    expect(labels('alert:\n  severity: h‸')).toContain('high');
    expect(labels('key: ‸')).toEqual(['amount', 'country']);
    expect(labels('pattern:\n  - begin: a\n    subtype: ‸')).toEqual(['Payment', 'Transfer']);
  });

  it('knows the words of a condition: fields, features, steps, functions, lists', () => {
    const rule = 'features:\n  - {name: usual, avg: amount}\npattern:\n  - begin: large\n  - next: more\n    where: ‸';
    expect(labels(rule)).toEqual(['amount', 'country', 'usual', 'large', 'more', 'hour', "list('sanctioned')"]);
    expect(labels(rule.replace('‸', 'amount > large.‸'))).toEqual(['amount', 'country']);
  });
});
