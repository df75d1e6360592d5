import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SpillFile } from '../../runtime/ports/spill-file.js';

/**
 * A spill file in a folder. Its name is given up at once, so that nothing of it is left whatever becomes of the process; where the system
 * does not let go of a file that is open, the next one of this name takes its place.
 */
export function openSpillFile(folder: string, name: string): SpillFile {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const descriptor = openSync(path, 'w+', 0o600);
  try {
    unlinkSync(path);
  } catch {
    // It is emptied when it is opened again.
  }
  return {
    read(position, into) {
      let done = 0;
      while (done < into.length) {
        const count = readSync(descriptor, into, done, into.length - done, position + done);
        if (count === 0) throw new Error(`${path} ends at ${position + done}, where more was written`);
        done += count;
      }
    },
    write(position, bytes) {
      let done = 0;
      while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
    },
    close: () => closeSync(descriptor),
  };
}
