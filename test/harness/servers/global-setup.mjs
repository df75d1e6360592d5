import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Makes the folder in which the specs of this run find the servers they share (`shared.ts`). Starts nothing. Plain JavaScript, as
 * the teardown is: jest loads both without its transformation of modules.
 */
export default function globalSetup() {
  process.env.STAKEOUT_TEST_SERVERS = mkdtempSync(path.join(tmpdir(), 'stakeout-servers-'));
  process.env.STAKEOUT_TEST_OWNER = String(process.pid);
  // Specs start the command a hundred times and more, and a quarter of what a start takes is the compiling of the same modules.
  process.env.NODE_COMPILE_CACHE ??= path.resolve('node_modules/.cache/compiled');
}
