import { z } from 'zod';
import { choice, duration, path, redisUrl, text, topicName } from './setting.js';

/** One reference list, and where it is read. */
const listSchema = z.strictObject({
  file: path.optional(
    'File to read it from, again whenever it changes: one entry a line, CSV (.csv) or JSON (.json). Without a file, `redis.key` or `topic` it is filled over HTTP (`PUT /v1/lists/<name>`, `stakeout lists put`).',
  ),
  kind: choice(['set', 'map']).default('set', 'set: entries. map: keys with values.'),
  topic: topicName.optional(
    'Compacted topic to read it from, and to follow: the key of a record is an entry, its value the value in a map; a record without a value takes the entry away.',
  ),
  redis: z
    .strictObject({
      key: text.optional('Key of a Redis set, or of a hash for a map, to read it from.'),
      url: redisUrl.optional('Redis that has it.', { secret: true, defaultText: '`redis.url`' }),
    })
    .prefault({}),
  refresh: duration.default(
    '10s',
    'Its source is looked at this often. Redis tells of a change sooner where it gives notice of events (`notify-keyspace-events` with K and A).',
  ),
});

export const listsSchema = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/), listSchema);

export const listStoreSchema = z.strictObject({
  topic: topicName.default(
    'stakeout-lists',
    'Topic of the changes of reference lists, which all instances read; whole lists are beside it, in `<topic>-content`.',
  ),
});

export type ListSettings = z.output<typeof listSchema>;
