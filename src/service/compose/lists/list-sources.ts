import { redisConnection } from '../../../connectors/redis/connection.js';
import { systemClock } from '../../../connectors/system-clock.js';
import { ListError, loadLists } from '../../../runtime/lists/load-lists.js';
import { type ListData, listData, ReferenceLists } from '../../../runtime/lists/reference-lists.js';
import type { Clock } from '../../../runtime/ports/clock.js';
import type { LogReader } from '../../../runtime/ports/log.js';
import { databaseOptions } from '../../../runtime/settings/database.js';
import type { Settings } from '../../../runtime/settings/index.js';
import type { ListSettings } from '../../../runtime/settings/lists.js';
import { fileSource } from '../../lists/file-source.js';
import type { ListSource } from '../../lists/list-source.js';
import { redisSource } from '../../lists/redis-source.js';
import { tableSource } from '../../lists/table-source.js';
import { topicSource } from '../../lists/topic-source.js';
import { openLogToRead } from '../log.js';

export interface ListSourceParts {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Asked where a list is read from a topic. */
  readonly log: () => LogReader;
}

/** A page of a table may take so long. */
const TABLE_MS = 60_000;

/** `null`: it is filled over HTTP. */
export function listSourceOf(
  list: string,
  of: ListSettings,
  { settings, log, clock }: ListSourceParts,
): ListSource | null {
  const { kind, refresh, table } = of;
  if (of.file !== undefined) return fileSource(list, of.file, kind, refresh);
  if (of.topic !== undefined) return topicSource(log(), of.topic, kind, refresh);
  // The settings refuse a table without a URL.
  if (table.name !== undefined || table.query !== undefined)
    return tableSource({
      database: databaseOptions(settings.database, table.url, TABLE_MS),
      table,
      kind,
      refreshMs: refresh,
      clock,
    });
  if (of.redis.key === undefined) return null;
  // The settings refuse a key without a URL.
  // Another Redis has another login, which its URL says.
  const { url } = of.redis;
  const connection = redisConnection(settings.redis);
  const at =
    url === undefined ? { url: settings.redis.url!, connection } : { url, connection: { tls: connection.tls! } };
  return redisSource(at, of.redis.key, kind, refresh);
}

/**
 * The lists as they are now, read once: from files, tables, Redis and topics. Those that are filled over HTTP alone are empty. Throws
 * `ListError` for the first that cannot be read.
 */
export async function readListsOnce(settings: Settings): Promise<ReferenceLists> {
  const isOnTopic = Object.values(settings.lists).some(({ topic }) => topic !== undefined);
  const log = isOnTopic ? await openLogToRead(settings) : undefined;
  const parts: ListSourceParts = { settings, clock: systemClock, log: () => log! };
  try {
    const data: Record<string, ListData> = { ...(await loadLists(settings.lists)).data };
    for (const [name, of] of Object.entries(settings.lists)) {
      const source = of.file === undefined ? listSourceOf(name, of, parts) : null;
      if (source !== null) data[name] = await readOnce(name, of, source);
    }
    return new ReferenceLists(data);
  } finally {
    await log?.close();
  }
}

async function readOnce(name: string, { kind }: ListSettings, source: ListSource): Promise<ListData> {
  try {
    return listData(kind, (await source.read(new AbortController().signal)).table);
  } catch (error) {
    const message = `the list ${name} cannot be read from ${source.name}: ${(error as Error).message}`;
    throw new ListError(message, { cause: error });
  } finally {
    await source.close?.();
  }
}
