import { readFileSync } from 'node:fs';

/** Ticks a second of `/proc/stat`; fixed at 100 on Linux for programs. */
const TICKS = 100;
const IDLE = [3, 4];
/** User, nice, system, idle, iowait, irq, softirq, steal. */
const FIELDS = 8;

/** Seconds of processor time that the whole machine has spent since it started; `null` where it does not say. */
export function machineSeconds(): number | null {
  try {
    const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const ticks = first
      .trim()
      .split(/\s+/)
      .slice(1, FIELDS + 1)
      .map(Number);
    return ticks.reduce((sum, n, i) => (IDLE.includes(i) ? sum : sum + n), 0) / TICKS;
  } catch {
    return null;
  }
}

/** Seconds of processor time that this process has spent, all threads together. */
export function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
