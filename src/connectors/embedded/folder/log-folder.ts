import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LogError } from '../../../runtime/local-log/log-error.js';
import type { TopicSpec } from '../../../runtime/ports/log.js';
import { errnoOf, fileError } from '../disk/file-errors.js';
import { replaceFile, syncDirectory } from '../disk/files.js';
import { FolderLock } from './folder-lock.js';

const MARKER = 'stakeout-log.json';
const FORMAT = 'stakeout-log';
/** Rises when folders written by older versions can no longer be read. */
const VERSION = 1;
const TOPIC = 'topic.json';

/**
 * The folder of an embedded log:
 *
 *     stakeout-log.json          {"format": "stakeout-log", "version": 1}
 *     lock.json                  who has it open
 *     offsets/                   committed offsets, a compacted partition of our own
 *     transactions               transactions that may not be in their partitions yet
 *     topics/<name>/topic.json   {"name", "partitions", "retentionMs", "compacted"}
 *     topics/<name>/<partition>/ segment files
 *     making/                    a topic that is being made; left over only by a crash
 */
export class LogFolder {
  private constructor(
    readonly directory: string,
    private readonly lock: FolderLock,
  ) {}

  /** @throws LogError `LOG_FOREIGN`, `LOG_LOCKED`, `LOG_DISK_FULL`, `LOG_IO`. */
  static async open(directory: string): Promise<LogFolder> {
    try {
      await mkdir(directory, { recursive: true });
      const isNew = await checkMarker(directory);
      const lock = await FolderLock.acquire(directory);
      try {
        if (isNew) {
          await replaceFile(join(directory, MARKER), `${JSON.stringify({ format: FORMAT, version: VERSION })}\n`);
        }
        await rm(join(directory, 'making'), { recursive: true, force: true });
        await mkdir(join(directory, 'topics'), { recursive: true });
        await mkdir(join(directory, 'offsets'), { recursive: true });
      } catch (error) {
        await lock.release();
        throw error;
      }
      return new LogFolder(directory, lock);
    } catch (error) {
      throw fileError(error, 'open', directory);
    }
  }

  get offsets(): string {
    return join(this.directory, 'offsets');
  }

  get transactions(): string {
    return join(this.directory, 'transactions');
  }

  partition(topic: string, partition: number): string {
    return partitionFolder(this.directory, topic, partition);
  }

  topics(): Promise<TopicSpec[]> {
    return readTopics(this.directory);
  }

  /** Makes the topic's folders whole or not at all. */
  async makeTopic(spec: TopicSpec): Promise<void> {
    const making = join(this.directory, 'making', spec.name);
    const topics = join(this.directory, 'topics');
    try {
      await rm(making, { recursive: true, force: true });
      for (let partition = 0; partition < spec.partitions; partition++) {
        await mkdir(join(making, String(partition)), { recursive: true });
      }
      await replaceFile(join(making, TOPIC), `${JSON.stringify(spec)}\n`);
      await rename(making, join(topics, spec.name));
      await syncDirectory(topics);
    } catch (error) {
      throw fileError(error, 'make', join(topics, spec.name));
    }
  }

  async release(): Promise<void> {
    await this.lock.release();
  }
}

export const partitionFolder = (directory: string, topic: string, partition: number): string =>
  join(directory, 'topics', topic, String(partition));

/**
 * The topics of a folder that another process may have open. None where there is no such folder yet.
 *
 * @throws LogError `LOG_FOREIGN`, `LOG_CORRUPT`, `LOG_IO`.
 */
export async function lookAtTopics(directory: string): Promise<TopicSpec[]> {
  try {
    return (await checkMarker(directory)) ? [] : await readTopics(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return [];
    }
    throw fileError(error, 'read', directory);
  }
}

async function readTopics(directory: string): Promise<TopicSpec[]> {
  const specs: TopicSpec[] = [];
  for (const name of (await readdir(join(directory, 'topics'))).sort()) {
    specs.push(await readTopic(directory, name));
  }
  return specs;
}

async function readTopic(directory: string, name: string): Promise<TopicSpec> {
  const path = join(directory, 'topics', name, TOPIC);
  try {
    const spec = JSON.parse(await readFile(path, 'utf8')) as TopicSpec;
    if (spec.name === name && Number.isSafeInteger(spec.partitions)) {
      return spec;
    }
  } catch (error) {
    throw new LogError('LOG_CORRUPT', `${path} cannot be read. Write {"name": "${name}", "partitions": …} there.`, {
      cause: error,
    });
  }
  throw new LogError(
    'LOG_CORRUPT',
    `${path} does not describe topic ${name}. Write {"name": "${name}", "partitions": …} there.`,
  );
}

/** Returns whether the folder is new. */
async function checkMarker(directory: string): Promise<boolean> {
  const names = await readdir(directory);
  if (!names.includes(MARKER)) {
    const others = names.filter((n) => !n.startsWith('lock.') && n !== `${MARKER}.tmp` && n !== 'lost+found');
    if (others.length > 0) {
      throw foreign(directory, `it has no ${MARKER} but other files (${others.slice(0, 3).join(', ')})`);
    }
    return true;
  }
  let marker: unknown;
  try {
    marker = JSON.parse(await readFile(join(directory, MARKER), 'utf8'));
  } catch {
    throw foreign(directory, `${MARKER} is not JSON`);
  }
  const { format, version } = (marker ?? {}) as { format?: unknown; version?: unknown };
  if (format !== FORMAT) {
    throw foreign(directory, `${MARKER} is not one of ours`);
  }
  if (version !== VERSION) {
    throw foreign(directory, `its format is version ${String(version)}, this program knows version ${VERSION}`);
  }
  return false;
}

function foreign(directory: string, why: string): LogError {
  return new LogError(
    'LOG_FOREIGN',
    `${directory} is not a log folder that can be used: ${why}. Name another folder, or an empty one.`,
  );
}
