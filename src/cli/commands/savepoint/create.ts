import { join, resolve } from 'node:path';
import { systemClock } from '../../../connectors/system-clock.js';
import { takeSavepoint } from '../../../runtime/savepoint/take.js';
import {
  partitionsRead,
  type SavepointSummary,
  savepointFolder,
  savepointName,
  summaryOf,
  takeOptions,
} from '../../../service/savepoints/savepoint-parts.js';
import type { Output } from '../../output.js';
import { settingsOrFail } from '../../settings.js';
import { withStoppedService } from './environment.js';
import { createOverHttp } from './over-http.js';

export interface CreateOptions {
  readonly config?: string;
  readonly out?: string;
  readonly url?: string;
  readonly partial?: boolean;
}

/** Writes a savepoint of a service that has stopped; with `url`, has a running one write it. */
export async function createSavepoint(options: CreateOptions, output: Output): Promise<number> {
  const summary =
    options.url === undefined ? await createOffline(options, output) : await createOverHttp(options.url, output);
  output.progress('');
  output.result(summary, () => textOf(summary));
  return 0;
}

async function createOffline(options: CreateOptions, output: Output): Promise<SavepointSummary> {
  const settings = settingsOrFail(options.config ?? process.env.STAKEOUT_CONFIG);
  const busy = 'To take a savepoint of the running service, name it: --url http://…';
  return withStoppedService(settings, output, busy, async (service) => {
    const nowMs = systemClock.now();
    const path = resolve(options.out ?? join(savepointFolder(settings), savepointName(nowMs)));
    const taken = await takeSavepoint(path, {
      ...takeOptions(service),
      partitions: await partitionsRead(service),
      stateOf: (partition) => service.store.partition(partition),
      partial: options.partial === true,
      committed: await service.log.committed(settings.kafka.groupId),
      nowMs,
      signal: new AbortController().signal,
      onProgress: (keys) => output.progress(`${count(keys)} keys written`),
    });
    for (const why of taken.leftOut) output.say(`left out: ${why}`);
    return summaryOf(taken);
  });
}

const count = (n: number): string => n.toLocaleString('en-US');

function textOf({ path, bytes, keys, partitions }: SavepointSummary): string {
  return [
    `${path}: ${count(keys)} keys of ${count(partitions.length)} partitions, ${count(bytes)} bytes`,
    ...partitions.map(
      (p) =>
        `  ${p.topic}-${p.partition}  offset ${p.position}${p.committed > p.position ? ` (committed: ${p.committed})` : ''}, ${count(p.keys)} keys`,
    ),
    'Put it back with: stakeout savepoint restore FILE',
  ].join('\n');
}
