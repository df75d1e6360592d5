import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeLogContract } from '../../../test/contracts/log-contract.js';
import { describeTransactionContract } from '../../../test/contracts/log-contract-transactions.js';
import { EmbeddedLog, type EmbeddedLogOptions } from './embedded-log.js';

async function make(options: Partial<EmbeddedLogOptions>) {
  const directory = await mkdtemp(join(tmpdir(), 'stakeout-log-'));
  let log = await EmbeddedLog.open({ directory, ...options });
  return {
    log,
    newTopic: async (partitions: number) => {
      const name = `topic-${randomUUID()}`;
      await log.createTopic({ name, partitions });
      return name;
    },
    reopen: async () => {
      await log.close();
      log = await EmbeddedLog.open({ directory, ...options });
      return log;
    },
    dispose: async () => {
      await log.close();
      await rm(directory, { recursive: true });
    },
  };
}

describeLogContract('the embedded log', () => make({}));
describeLogContract('the embedded log that reads all from tiny segments and flushes now and then', () =>
  make({ segmentBytes: 200, tailCacheBytes: 0, fsync: 'interval', fsyncIntervalMs: 5 }),
);
describeTransactionContract('the embedded log', () => make({}));
describeTransactionContract('the embedded log with tiny segments that flushes now and then', () =>
  make({ segmentBytes: 200, tailCacheBytes: 0, fsync: 'interval', fsyncIntervalMs: 5 }),
);
