import { readFileSync } from 'node:fs';
import path from 'node:path';
import Sequencer from '@jest/test-sequencer';

const SLOWEST = JSON.parse(readFileSync(new URL('./slowest-specs.json', import.meta.url), 'utf8'));

/**
 * Begins with the spec files that take longest (`slowest-specs.json`), so that no worker is left alone with one of them at the end.
 * Jest knows how long each takes only where it has run before: on a fresh clone it goes by the size of files.
 *
 * Those that collect garbage in full are the very first: late in a run the heap of a worker is so large that one of them took 400 s.
 */
export default class SlowestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path: file, context }) => {
      const at = SLOWEST.indexOf(path.relative(context.config.rootDir, file));
      return at < 0 ? SLOWEST.length : at;
    };
    return super.sort(tests).toSorted((a, b) => place(a) - place(b));
  }
}
