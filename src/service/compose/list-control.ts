import { redisConnection } from '../../connectors/redis/connection.js';
import type { Rule } from '../../rules/index.js';
import type { ListBook } from '../../runtime/lists/list-book.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';
import { databaseOptions } from '../../runtime/settings/database.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { ListSettings } from '../../runtime/settings/lists.js';
import { fileSource } from '../lists/file-source.js';
import { ListControl } from '../lists/list-control.js';
import { ListFollower } from '../lists/list-follower.js';
import type { ListSource } from '../lists/list-source.js';
import { redisSource } from '../lists/redis-source.js';
import { tableSource } from '../lists/table-source.js';
import { topicSource } from '../lists/topic-source.js';
import { listBook } from './lists.js';

export interface ListControlParts {
  readonly settings: Settings;
  readonly log: Log;
  readonly clock: Clock;
  /** The lists of the settings, as their files have them. */
  readonly declared: ReferenceLists;
  /** Those that run. */
  readonly rules: () => readonly Rule[];
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** The reference lists of a process, read where its settings say. */
export function listControl(parts: ListControlParts): ListControl {
  const { settings, log, clock, declared, rules, report, warn } = parts;
  const followers = (book: ListBook): ReadonlyMap<string, ListFollower> => {
    const sourced = Object.entries(settings.lists).flatMap(([list, of]) => {
      const source = sourceOf(list, of, parts);
      return source === null ? [] : [{ list, kind: of.kind, source }];
    });
    return new Map(sourced.map((one) => [one.list, new ListFollower({ ...one, book, clock, report, warn })]));
  };
  return new ListControl({
    ...{ declared, followers, report, warn },
    book: (on) => listBook(settings, log, clock, on),
    usedBy: (list) =>
      rules()
        .filter((rule) => rule.lists?.includes(list))
        .map(({ id }) => id),
  });
}

/** A page of a table may take so long. */
const TABLE_MS = 60_000;

/** `null`: it is filled over HTTP. */
function sourceOf(
  list: string,
  of: ListSettings,
  { settings, log, clock }: Pick<ListControlParts, 'settings' | 'log' | 'clock'>,
): ListSource | null {
  const { kind, refresh, table } = of;
  if (of.file !== undefined) return fileSource(list, of.file, kind, refresh);
  if (of.topic !== undefined) return topicSource(log, of.topic, kind, refresh);
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
