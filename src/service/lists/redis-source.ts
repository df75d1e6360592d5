import { clientOptions, type RedisConnection } from '../../connectors/redis/connection.js';
import type { ListKind } from '../../rules/index.js';
import { tableOf } from '../../runtime/lists/layered-table.js';
import { ListError } from '../../runtime/lists/load-lists.js';
import type { ListSource } from './list-source.js';

const PAGE = 5000;
const CONNECT_MS = 5000;

interface RedisPlace {
  readonly url: string;
  readonly connection: RedisConnection;
}

/** The library is loaded where some list is read from Redis. */
async function clientOf({ url, connection }: RedisPlace) {
  const { createClient } = await import('redis');
  const { login, socket } = clientOptions(url, connection);
  const client = createClient({
    url,
    ...login,
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false, ...socket },
  });
  // Each reading says itself what is wrong.
  client.on('error', () => undefined);
  return client;
}

/** A set, or a hash, of Redis. */
export function redisSource(at: RedisPlace, key: string, kind: ListKind, refreshMs: number): ListSource {
  let made: ReturnType<typeof clientOf> | undefined;
  const clientMade = (): ReturnType<typeof clientOf> => {
    made ??= clientOf(at);
    return made;
  };
  let endNotices = (): void => undefined;
  const opened = async () => {
    const client = await clientMade();
    if (!client.isOpen) await client.connect();
    return client;
  };
  return {
    name: `redis ${key}`,
    refreshMs,
    async read(signal) {
      const redis = await opened();
      const type = await redis.type(key);
      const wanted = kind === 'map' ? 'hash' : 'set';
      if (type !== wanted && type !== 'none') throw new ListError(`${key} is no ${wanted} of Redis but a ${type}.`);
      const entries = new Map<string, string>();
      if (kind === 'map') {
        for await (const page of redis.hScanIterator(key, { COUNT: PAGE })) {
          signal.throwIfAborted();
          for (const { field, value } of page) entries.set(field, value);
        }
      } else {
        for await (const page of redis.sScanIterator(key, { COUNT: PAGE })) {
          signal.throwIfAborted();
          for (const entry of page) entries.set(entry, '');
        }
      }
      return { table: tableOf(entries, kind) };
    },
    watch(onNews) {
      let isEnded = false;
      endNotices = () => {
        isEnded = true;
      };
      // Where it gives no notice, or is away, it is looked at all the same.
      const listen = async (): Promise<void> => {
        const subscriber = (await clientMade()).duplicate();
        if (isEnded) return;
        endNotices = () => {
          if (subscriber.isOpen) subscriber.destroy();
        };
        subscriber.on('error', () => undefined);
        await subscriber.connect();
        await subscriber.pSubscribe(`__keyspace@*__:${key}`, () => onNews());
      };
      void listen().catch(() => undefined);
    },
    async close() {
      endNotices();
      const client = await made;
      if (client?.isOpen === true) client.destroy();
    },
  };
}
