/** Compares what is on the topics in the end with what must be there. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Verification } from '../../src/backtest/verify/verify.js';
import type { Log } from '../../src/runtime/ports/log.js';
import { BASE_ENV } from '../harness/base-env.js';
import { NUMBER } from './traffic.js';

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const VERIFY_MAX_MS = 600_000;

export interface SourceCount {
  readonly records: number;
  /** Numbers that are acknowledged, but not on the topic; and that are there more than once. */
  readonly lost: number;
  readonly doubled: number;
}

/** Whether each of the records 0 … `sent` - 1 is on the topic once. */
export async function countSource(log: Log, topic: string, partitions: number, sent: number): Promise<SourceCount> {
  const times = new Uint32Array(sent);
  let records = 0;
  for (let partition = 0; partition < partitions; partition++) {
    for await (const batch of log.read({ topic, partition }, 0)) {
      for (const { headers } of batch.records) {
        records++;
        times[Number(Buffer.from(headers!.get(NUMBER)!).toString())]!++;
      }
    }
  }
  return {
    records,
    lost: times.filter((n) => n === 0).length,
    doubled: times.filter((n) => n > 1).length,
  };
}

/** What `stakeout verify --json` says; differences are named by the ids of the alerts. */
export type Verified = Omit<Verification, 'missing' | 'unexpected'> & {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
};

/** A replay of one topic in a process of its own, compared with the alerts topic. */
export async function verified(home: string, config: string, topic: string): Promise<Verified> {
  const args = [join(home, 'bin/stakeout.mjs'), 'verify', '--config', config, '--topic', topic, '--json'];
  const options = {
    env: BASE_ENV,
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: VERIFY_MAX_MS,
  };
  try {
    return JSON.parse((await promisify(execFile)(process.execPath, args, options)).stdout) as Verified;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    // Status 1 and a result: the alerts are not the same.
    if (stdout?.startsWith('{')) return JSON.parse(stdout) as Verified;
    throw new Error(`the replay of ${topic} failed: ${stderr}`, { cause: error });
  }
}
