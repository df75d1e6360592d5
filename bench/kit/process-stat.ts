import { readFileSync } from 'node:fs';

export interface ProcessStat {
  /** Memory in use, of all threads. */
  readonly rssBytes: number;
  /** What the process had the kernel write to disks, in whole pages. */
  readonly writtenBytes: number;
}

/** Of a process on this machine (Linux). */
export function processStat(pid: number): ProcessStat {
  return {
    rssBytes: 1024 * numberIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB/m),
    writtenBytes: numberIn(`/proc/${pid}/io`, /^write_bytes: (\d+)/m),
  };
}

function numberIn(file: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(file, 'utf8'));
  if (found === null) throw new Error(`${file} has no ${pattern}`);
  return Number(found[1]);
}
