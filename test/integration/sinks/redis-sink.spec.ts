import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { createClient } from 'redis';
import { RedisSink } from '../../../src/connectors/redis/redis-sink.js';
import { systemClock } from '../../../src/connectors/system-clock.js';
import { describeSink } from '../../contracts/sink-contract.js';
import { SERVER_START_MS, sharedRedis } from '../../harness/servers/index.js';
import { TcpProxy } from '../../harness/tcp-proxy.js';

jest.setTimeout(SERVER_START_MS);

describeSink('Redis', {
  place: async () => {
    const direct = await sharedRedis();
    const { proxy, url } = await TcpProxy.before(direct);
    const prefix = `sink-${randomUUID()}`;
    const reader = await createClient({ url: direct, RESP: 2 }).connect();
    return {
      sink: async () => new RedisSink({ name: 'cache', url, clock: systemClock, prefix }),
      written: async () => {
        const entries = (await reader.xRange(`${prefix}:alerts`, '-', '+')) ?? [];
        return entries.map(({ message: { id = '', key = '' } }) => ({ id, key }));
      },
      away: async () => proxy.cut(),
      back: async () => proxy.mend(),
      close: async () => {
        await proxy.close();
        reader.destroy();
      },
    };
  },
});
