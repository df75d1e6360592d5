import { createHash } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointFile } from '../../../backtest/checkpoint/checkpoint-file.js';
import type { Checkpoints } from '../../../backtest/checkpoint/checkpoints.js';
import type { TableEnds } from '../../../backtest/run/file-streams.js';
import type { Lane } from '../../../backtest/run/lane.js';
import { KEY_STATE_VERSION } from '../../../engine/index.js';
import { packageVersion } from '../../version.js';
import type { Prepared } from './prepare.js';
import type { TopicRanges } from './topic.js';

/** Where a back-test keeps what it has come to. It can be sent to the threads of its lanes. */
export interface Keeping {
  readonly folder: string;
  readonly intervalMs: number;
}

/** What the first attempt has settled, and those after a restart stick to. */
export interface Settled {
  readonly lanes: number;
  /** Of a topic: what has come since is left out. */
  readonly ranges: TopicRanges | null;
  readonly tableEnds: TableEnds;
}

const SETTLED = 'attempt.checkpoint';

/** `null`: this is the first attempt. */
export async function settledBefore({ folder }: Keeping): Promise<Settled | null> {
  const text = await readFile(join(folder, SETTLED), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Settled);
}

export async function settle({ folder }: Keeping, settled: Settled): Promise<void> {
  const path = join(folder, SETTLED);
  await writeFile(`${path}.new`, JSON.stringify(settled));
  await rename(`${path}.new`, path);
}

/** Where one lane of a back-test keeps what it has come to. */
export async function checkpointsOf(
  { folder, intervalMs }: Keeping,
  prepared: Prepared,
  { index, of }: Lane,
  onSaved: () => void,
): Promise<Checkpoints> {
  const path = join(folder, `lane-${index}-of-${of}.checkpoint`);
  const now = (): number => performance.now();
  return new CheckpointFile({ path, identity: await identityOf(prepared), intervalMs, now, onSaved });
}

/**
 * What decides the result, and how it is written down: what was kept by a back-test of another identity (the rules, the files, the lists or
 * the settings were changed meanwhile, or the release) is of no use.
 */
async function identityOf({ settings, lists, input, ranges }: Prepared): Promise<string> {
  const { plan, protocol, streams } = input;
  const files = await Promise.all([...streams.map(({ file }) => file.path), protocol.labels?.file].map(stateOf));
  // A table may have grown: it is read up to where it ended.
  const bytes = streams.map(({ file }) => (file.format === 'table' ? null : file.bytesTotal));
  const parts = [
    ...[packageVersion(), KEY_STATE_VERSION, process.version],
    ...[settings.engine, settings.streams, protocol, ranges, files, bytes],
    ...[plan.sets, plan.rules.map(({ id, revision, accuses }) => [id, revision, accuses ?? null])],
    lists.digests(Object.keys(settings.lists)),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Of what is no file, such as a partition, its name alone. */
async function stateOf(path: string | undefined): Promise<unknown> {
  const found = path === undefined ? null : await stat(path).catch(() => null);
  return [path ?? null, found?.size ?? null, found?.mtimeMs ?? null];
}
