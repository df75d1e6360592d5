import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

/** Stops what the specs of this run started for all. */
export default function globalTeardown() {
  const folder = process.env.STAKEOUT_TEST_SERVERS;
  if (folder === undefined) return;
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const { pids, dir } = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    if (dir !== null) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
  rmSync(folder, { recursive: true, force: true });
}
