import { systemClock } from '../../../connectors/system-clock.js';
import { topicFilter } from '../../../runtime/local-log/topic-filter.js';
import { partitionName, type StartPosition } from '../../../runtime/ports/log.js';
import { openSavepoint, type SavepointFile } from '../../../runtime/savepoint/file-reader.js';
import { type Occupied, occupiedBy, type RestorePlan } from '../../../runtime/savepoint/plan.js';
import { planOtherTopic } from '../../../runtime/savepoint/plan-other.js';
import { planSameTopics } from '../../../runtime/savepoint/plan-same.js';
import { restoreSavepoint } from '../../../runtime/savepoint/restore.js';
import { parseTimestamp } from '../../../runtime/settings/values.js';
import type { StreamParts } from '../../../service/compose/streams/stream-parts.js';
import { packageVersion } from '../../../service/version.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';
import { settingsOrFail } from '../../settings.js';
import { type StoppedService, withStoppedService } from './environment.js';

export interface RestoreCommandOptions {
  readonly config?: string;
  readonly topic?: string;
  readonly from?: string;
  readonly heldBack?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** Longer than brokers wait for a member that was killed. */
const WAIT_MS = 90_000;

/** Puts savepoints in the place of the state and the offsets of a service that has stopped. */
export async function restoreCommand(
  paths: readonly string[],
  options: RestoreCommandOptions,
  output: Output,
): Promise<number> {
  const settings = settingsOrFail(options.config ?? process.env.STAKEOUT_CONFIG);
  const from = startOf(options.from);
  const heldBack = heldBackOf(options.heldBack);
  if (from === null && (options.topic !== undefined || heldBack !== null)) {
    throw new CommandError(
      '--topic and --held-back are for going on in another topic: say with --from where to begin in it.',
    );
  }
  const release = packageVersion();
  return withStoppedService(
    settings,
    output,
    'A savepoint is restored while the service does not run.',
    async (service) => {
      const files: SavepointFile[] = [];
      for (const path of paths) files.push(await openSavepoint(path, release));
      const signal = new AbortController().signal;
      const base = { log: service.log, release, signal };
      const plan =
        from === null
          ? await planSameTopics(files, base)
          : await planOtherTopic(files, {
              ...{ ...base, from, heldBack },
              topic: await topicFor(options, files, service),
              reader: readerFor(options, files, service),
            });
      checkRead(plan, service);
      const { kafka, journal } = settings;
      const { log, store } = service;
      const occupied = await occupiedBy(plan, { log, store, group: kafka.groupId });
      const dryRun = options.dryRun === true;
      if (!dryRun && options.force !== true) checkFree(occupied);
      if (!dryRun) {
        await restoreSavepoint(plan, {
          ...{ log, store, signal, clock: systemClock, group: kafka.groupId, waitMs: WAIT_MS },
          journal: { name: journal.topic, partitions: service.streams[0].settings.partitions },
          onProgress: (keys) => output.progress(`${count(keys)} keys put back`),
        });
      }
      output.progress('');
      const result = { restored: !dryRun, group: kafka.groupId, ...described(plan), overwritten: occupied };
      output.result(result, () => textOf(result));
      return 0;
    },
  );
}

function startOf(text: string | undefined): StartPosition | null {
  if (text === undefined) return null;
  if (text === 'earliest' || text === 'latest') return { at: text };
  const timestamp = /^\d{10,}$/.test(text) ? Number(text) : parseTimestamp(text);
  if (timestamp !== undefined) return { at: 'timestamp', timestamp };
  throw new CommandError(`--from takes earliest, latest, or a time such as 2026-01-31T00:00:00Z, not ${text}.`);
}

function heldBackOf(text: string | undefined): 'write' | 'skip' | null {
  if (text === undefined || text === 'write' || text === 'skip') return text ?? null;
  throw new CommandError(`--held-back takes write or skip, not ${text}.`);
}

/** The stream to go on in: that of the topic that was named, else that of the topic that the savepoint is of, else the only one. */
function streamFor(
  { topic }: RestoreCommandOptions,
  files: readonly SavepointFile[],
  { streams }: StoppedService,
): StreamParts {
  const of = topic ?? files[0]?.header.partitions[0]?.topic;
  const found = streams.find(({ settings }) => of !== undefined && topicFilter(settings.topics!)(of));
  if (found !== undefined || streams.length === 1) return found ?? streams[0];
  throw new CommandError(
    topic === undefined
      ? `The service has several streams, and ${of ?? 'the topic of the savepoint'} is of none of them: say with --topic which topic to go on in.`
      : `No stream of the service reads ${topic}.`,
  );
}

function readerFor(options: RestoreCommandOptions, files: readonly SavepointFile[], service: StoppedService) {
  const { definition, decoder } = streamFor(options, files, service);
  return { decoder: decoder([]), stream: definition };
}

/** The topic to go on in; made, as the service would make it, where it is not there. */
async function topicFor(
  options: RestoreCommandOptions,
  files: readonly SavepointFile[],
  service: StoppedService,
): Promise<string> {
  const { settings } = streamFor(options, files, service);
  const name = options.topic ?? settings.topic;
  if (name === undefined)
    throw new CommandError('The stream reads several topics: say with --topic which to go on in.');
  if (options.dryRun !== true && name === settings.topic) {
    await service.log.createTopic({ name, partitions: settings.partitions });
  }
  return name;
}

/** State of topics that the service does not read would lie there unused. */
function checkRead({ partitions }: RestorePlan, { streams, ruleSets }: StoppedService): void {
  const filters = streams.map(({ settings }) => topicFilter(settings.topics!));
  const routes = new Set(ruleSets.routes.map(({ topic }) => topic.name));
  const unread = partitions.find(({ topic }) => !filters.some((isRead) => isRead(topic)) && !routes.has(topic));
  if (unread === undefined) return;
  throw new CommandError(
    `With these settings the service does not read ${unread.topic}. To go on in the topic that it reads, say with --from where to begin.`,
  );
}

function checkFree({ state, offsets }: Occupied): void {
  const held = [
    ...(state.length > 0 ? [`there is state of ${some(state)}`] : []),
    ...(offsets.length > 0 ? [`the group has committed other offsets in ${some(offsets)}`] : []),
  ];
  if (held.length === 0) return;
  throw new CommandError(
    `This would be overwritten: ${held.join('; ')}. Say --force if that is meant (--dry-run shows what would be done).`,
  );
}

const count = (n: number): string => n.toLocaleString('en-US');
const some = (names: readonly string[]): string => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`;

interface Described {
  readonly keys: number;
  readonly heldBackWritten: number;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly position: number;
    readonly committed: number;
    readonly watermark: number | null;
  }[];
}

function described({ files, partitions, heldBack }: RestorePlan): Described {
  return {
    keys: files.flatMap(({ totals }) => totals.keys).reduce((sum, keys) => sum + keys, 0),
    heldBackWritten: heldBack.length,
    partitions: partitions.map(({ topic, partition, committed, cut: { position, watermark } }) => ({
      ...{ topic, partition, position, committed },
      watermark: Number.isFinite(watermark) ? watermark : null,
    })),
  };
}

type Result = Described & { readonly restored: boolean; readonly group: string; readonly overwritten: Occupied };

function textOf({ restored, group, keys, partitions, heldBackWritten, overwritten }: Result): string {
  const replaced = new Set([...overwritten.state, ...overwritten.offsets]);
  const lines = partitions.map((p) => {
    const replays = p.committed > p.position ? `, from ${p.position} on replayed` : '';
    const over = replaced.has(partitionName(p)) ? ', in the place of what is there' : '';
    return `  ${partitionName(p)}  goes on at offset ${p.committed}${replays}${over}`;
  });
  const written =
    heldBackWritten === 0 ? [] : [`  ${count(heldBackWritten)} events that were held back are written to the topic`];
  return [
    `${restored ? 'Restored' : 'This would be restored'}: ${count(keys)} keys, for the group ${group}.`,
    ...[...lines, ...written],
    restored ? 'Start the service to go on from there.' : 'Nothing was changed.',
  ].join('\n');
}
