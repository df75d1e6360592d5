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

/** Ticks of `/proc/<pid>/stat`. */
const TICKS_PER_SECOND = 100;
/** Time of the processor in user mode and in the kernel: fields 14 and 15, counted after the name, which may hold blanks. */
const [USER, SYSTEM] = [11, 12];

/** Seconds of the processor that a process on this machine has taken, all its threads together (Linux); `null`: it has ended. */
export function cpuSeconds(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (Number(fields[USER]) + Number(fields[SYSTEM])) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

function numberIn(file: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(file, 'utf8'));
  if (found === null) throw new Error(`${file} has no ${pattern}`);
  return Number(found[1]);
}
