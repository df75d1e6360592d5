import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Batch, compare, type Tally } from '../oracle/compare.js';
import { ENGINES } from '../oracle/engines.js';

/**
 * Cases in which an engine and the oracle once differed, shrunk. Each file has patterns, the stream that they are all run over, and
 * a note on what it is about. What is right is what the oracle says.
 */
const FILES = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));

interface Repro extends Batch {
  readonly note: string;
}

describe('what once went wrong', () => {
  it.each(FILES)('%s is right, whichever way it is run', (name) => {
    const repro = JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Repro;
    const tally: Tally = { compared: 0, tooMany: 0, matching: 0 };
    compare(repro, ENGINES, tally);
    expect(repro.note).not.toBe('');
    expect(tally).toMatchObject({ compared: repro.patterns.length, tooMany: 0 });
  });
});
