import { z } from 'zod';
import { brokers, choice, duration, flag, integer, path, text, topicName, url, urls } from './setting.js';
import { getAt, isTree, type Path, type Tree } from './tree.js';

export const sinkTypes = ['redis', 'postgres', 'mysql', 'elasticsearch', 'webhook', 'kafka', 'parquet'] as const;
export type SinkType = (typeof sinkTypes)[number];

/** One sink. Which settings a type has is in `settingsOf`. */
export const sinkSchema = z.strictObject({
  type: choice(sinkTypes).optional(
    'What it writes to. elasticsearch is also for OpenSearch, mysql for MariaDB, parquet for files. It must be given.',
  ),
  severity: choice(['low', 'medium', 'high', 'critical']).default(
    'low',
    'Alerts of lower severity are left out of this sink.',
  ),
  timeout: duration.default('10s', 'How long one request or statement may take.'),
  url: text.optional(
    'redis: `redis://…`; postgres: `postgres://user:password@host/database`; mysql: `mysql://…`; webhook: `https://…`, which gets each alert by POST.',
    { secret: true },
  ),
  urls: urls.optional('elasticsearch: nodes, or a load balancer before them. One that does not answer is passed over.'),
  brokers: brokers.optional('kafka: brokers to begin with.'),
  topic: topicName.optional('kafka: topic to write to. It is made where it is not there.'),
  partitions: integer(1, 1000).default(4, 'kafka: partitions of the topic, where it has to be made.'),
  format: choice(['json', 'avro']).default('json', 'kafka: how alerts are written; avro as in `schemas/alert.avsc`.'),
  username: text.optional('elasticsearch and kafka: user to log in as.'),
  password: text.optional('elasticsearch and kafka: password of the user.', { secret: true }),
  mechanism: choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional('kafka: how to log in.', {
    defaultText: 'no login',
  }),
  apiKey: text.optional('elasticsearch: API key (encoded, as it is shown when it is made), in place of a user.', {
    secret: true,
  }),
  secret: text.optional('webhook: key that requests are signed with (HMAC-SHA256).', {
    secret: true,
    defaultText: 'none: not signed',
  }),
  authorization: text.optional('webhook: value of the header `authorization`.', { secret: true }),
  concurrency: integer(1, 256).default(
    8,
    'webhook: requests under way at the same time for each partition of the alerts topic. Those of one key always go one after the other.',
  ),
  table: text.default('stakeout_alerts', 'postgres and mysql: table, with its schema or database before a dot.'),
  create: flag.default(
    true,
    'postgres, mysql: make the table, and add columns that it lacks. elasticsearch: write the index template. kafka: make the topic. Otherwise what is missing is an error.',
  ),
  batch: integer(1, 10_000).default(500, 'postgres, mysql and elasticsearch: alerts in one statement or request.'),
  index: text.default('stakeout-alerts', 'elasticsearch: beginning of the names of indices, and name of the template.'),
  rollover: choice(['day', 'month', 'none', 'alias']).default(
    'day',
    'elasticsearch: an index for each day or month of detection (`stakeout-alerts-2026.01.31`), one for all, or an alias of this name whose rollover the cluster does (ILM, ISM).',
  ),
  shards: integer(1, 100).default(1, 'elasticsearch: primary shards of an index, in the template.'),
  replicas: integer(0, 10).default(1, 'elasticsearch: copies of a shard, in the template.'),
  directory: path.optional('parquet: folder for the files, which all instances see.'),
  s3: z
    .strictObject({
      bucket: text.optional('parquet: bucket for the files, in place of a folder.'),
      prefix: text.default('alerts', 'Beginning of all object names.'),
      region: text.default('us-east-1', 'Region of the bucket.'),
      endpoint: url.optional('Another server that speaks S3.', { defaultText: 'AWS' }),
      pathStyle: flag.default(false, 'Name the bucket in the path, as most servers other than AWS want it.'),
      accessKeyId: text.optional('Access key.', { defaultText: "the AWS SDK's own search" }),
      secretAccessKey: text.optional('Secret of the access key.', { secret: true }),
    })
    .prefault({}),
  every: duration.default('5m', 'parquet: a file is finished at least so long after its first alert.'),
  rows: integer(1, 10_000_000).default(50_000, 'parquet: or when it has so many alerts.'),
  tls: z
    .strictObject({
      enabled: flag.default(
        false,
        'postgres, mysql, kafka: talk TLS. A URL with https:// or rediss:// says so itself, as `?sslmode=` does of PostgreSQL.',
      ),
      ca: path.optional('PEM file of the authorities to trust.', { defaultText: 'those of Node.js' }),
      certificate: path.optional('PEM file of our own certificate, for mutual TLS.'),
      key: path.optional('PEM file of our own private key, for mutual TLS.'),
      verify: flag.default(true, 'Refuse a server whose certificate does not hold. Only switch off to find a fault.'),
    })
    .prefault({}),
});

export const sinksSchema = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/), sinkSchema);

export type SinkSettings = z.output<typeof sinkSchema>;

const common = ['type', 'severity', 'timeout'];

/** What each type has beside `common`; the first is what it must have. */
const settingsOf: Readonly<Record<SinkType, readonly string[]>> = {
  redis: ['url'],
  postgres: ['url', 'table', 'create', 'batch', 'tls'],
  mysql: ['url', 'table', 'create', 'batch', 'tls'],
  elasticsearch: [
    ...['urls', 'username', 'password', 'apiKey', 'index', 'rollover', 'shards', 'replicas', 'create', 'batch', 'tls'],
  ],
  webhook: ['url', 'secret', 'authorization', 'concurrency', 'tls'],
  kafka: ['brokers', 'topic', 'partitions', 'format', 'username', 'password', 'mechanism', 'create', 'tls'],
  parquet: ['directory', 's3', 'every', 'rows'],
};

const schemes: Readonly<Partial<Record<SinkType, readonly string[]>>> = {
  redis: ['redis:', 'rediss:'],
  postgres: ['postgres:', 'postgresql:'],
  mysql: ['mysql:', 'mariadb:'],
  webhook: ['https:', 'http:'],
};

type Add = (path: Path, expected: string, got: string) => void;

/** What single settings of sinks cannot show. Reads the raw tree, so that it runs beside other errors. */
export function sinkConflicts(tree: Tree, add: Add): void {
  for (const [name, sink] of isTree(tree.sinks) ? Object.entries(tree.sinks) : []) {
    if (!isTree(sink)) continue;
    const at = (key: string): Path => ['sinks', name, ...key.split('.')];
    if (name === 'redis' && getAt(tree, ['redis', 'url']) !== undefined)
      add(['sinks', name], 'another name, because the sink of redis.url is called so', 'redis');
    if (name.startsWith('alert-store'))
      add(['sinks', name], "another name, because the store's own sinks are called so", name);
    const type = sinkTypes.find((known) => known === sink.type);
    if (sink.type === undefined) add(at('type'), `one of ${sinkTypes.join(', ')}`, 'nothing');
    if (type === undefined) continue;
    const known = [...common, ...settingsOf[type]];
    for (const key of Object.keys(sink).filter((other) => !known.includes(other) && other in sinkSchema.shape))
      add(at(key), `nothing, because a sink of type ${type} has no ${key} (it has ${known.join(', ')})`, 'a value');
    missing(type, sink, at, add);
  }
}

function missing(type: SinkType, sink: Tree, at: (key: string) => Path, add: Add): void {
  const [needed] = settingsOf[type] as readonly [string];
  const bucket = getAt(sink, ['s3', 'bucket']);
  if (type === 'parquet') {
    if ((sink.directory === undefined) === (bucket === undefined))
      add(at('directory'), 'either directory or s3.bucket', bucket === undefined ? 'neither' : 'both');
  } else if (sink[needed] === undefined) add(at(needed), `a value, because the sink's type is ${type}`, 'nothing');
  if (type === 'kafka' && sink.topic === undefined)
    add(at('topic'), "a topic, because the sink's type is kafka", 'nothing');
  if (type === 'kafka' && sink.mechanism !== undefined && (sink.username === undefined || sink.password === undefined))
    add(at('username'), 'username and password, because mechanism is set', 'not both');
  const allowed = schemes[type];
  if (allowed === undefined || typeof sink.url !== 'string') return;
  if (!URL.canParse(sink.url) || !allowed.includes(new URL(sink.url).protocol))
    add(at('url'), `a URL that begins with ${allowed.map((scheme) => `${scheme}//`).join(' or ')}`, 'another one');
}
