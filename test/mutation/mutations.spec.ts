import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTATIONS, occurrences } from './mutations.js';

const ROOT = join(import.meta.dirname, '../..');

describe('the mutations', () => {
  it('are at least ten, each with a name of its own', () => {
    expect(MUTATIONS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
  });

  it.each(MUTATIONS.map((m) => [m.name, m] as const))('%s: applies to one place of the source', (_, m) => {
    const text = readFileSync(join(ROOT, m.file), 'utf8');
    expect({ file: m.file, snippet: m.snippet, occurrences: occurrences(text, m) }).toMatchObject({ occurrences: 1 });
    expect(m.replacement).not.toBe(m.snippet);
  });
});
