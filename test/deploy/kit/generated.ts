import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../../house/source.js';

/** Compares a file that is made with what it would be now; with `UPDATE_DEPLOY=1` it is written instead. */
export function expectGenerated(path: string, text: string): void {
  const file = join(root, path);
  if (process.env.UPDATE_DEPLOY === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  let there: string | null = null;
  try {
    there = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (there !== text) throw new Error(`${path} is not up to date: UPDATE_DEPLOY=1 npm test -- test/deploy`);
}
