import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { accessSchema } from './access.js';
import { backtestSchema } from './backtest.js';
import { databaseSchema } from './database.js';
import { listStoreSchema, listsSchema } from './lists.js';
import {
  autoOr,
  brokers,
  bytes,
  choice,
  decimal,
  duration,
  flag,
  integer,
  kindTree,
  path,
  redisUrl,
  startPosition,
  text,
  topicName,
  topics,
  url,
} from './setting.js';
import { sinksSchema } from './sinks.js';
import { streamTable } from './table.js';

/** The folder of the package, from wherever this file runs (sources or build). */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

export const shippedPatterns = join(packageFolder(), 'patterns');
export const shippedTemplates = join(packageFolder(), 'templates');
export const shippedSchema = join(packageFolder(), 'schemas', 'transaction.avsc');

const partitionCount = integer(1, 1000);

/** One stream of events. What the default stream sets is in `defaultStreams`. */
export const streamSchema = z.strictObject({
  topic: topicName.optional(
    'Topic to read, and to which `POST /v1/transactions` writes; with `table`, that its rows are fed into.',
    {
      defaultText:
        "the stream's name, where neither `topics` nor `file` is given; with `table`, `<kafka.groupId>-table-<name>`",
    },
  ),
  topics: topics.optional(
    'Several topics instead of one: a list, or a regular expression that must fit the whole name.',
  ),
  file: path.optional(
    'File to read instead of a topic, for `stakeout run` and `stakeout backtest`; or a folder of files, which are read in order of their paths.',
  ),
  table: streamTable.prefault({}),
  partitions: partitionCount.default(4, 'Partitions of the topic, where it is not there yet and has to be made.'),
  format: choice(['avro-confluent', 'avro', 'ndjson', 'csv', 'parquet']).optional(
    'How records are written: Avro in the wire format of Confluent’s schema registry, plain Avro (in a file: an object container), or JSON, one object a record or line; files can also be CSV or Parquet.',
    { defaultText: 'avro-confluent when `registry.url` is set, else avro; for a file by its ending' },
  ),
  schema: path.optional('Avro schema (.avsc) that records are read as. A field which the writer added is skipped.'),
  key: text.optional('Field that events are grouped by where a pattern does not say otherwise; the key of the topic.', {
    defaultText: "the record's key",
  }),
  time: text.optional('Field with the event time: milliseconds since 1970, or text in ISO 8601.', {
    defaultText: "the record's timestamp",
  }),
  id: text.optional('Field with the unique id of an event.', { defaultText: 'topic, partition and offset' }),
  type: text.optional('Field that `subtype` in a pattern tests.', {
    defaultText: 'the name of the Avro record (of the branch, for a union)',
  }),
  subtypes: kindTree.default(
    'Kinds that derive from another: `subtype: Debit` also accepts a kind whose parent is Debit.',
  ),
  mode: choice(['event-time', 'arrival']).default(
    'event-time',
    'event-time: events wait until the watermark passes them and are taken in order of event time. arrival: taken at once, in order of arrival.',
  ),
  outOfOrderness: duration.default('5s', 'How much later than a younger event an event may still arrive.'),
  idleAfter: duration.default('30s', 'A partition without records for so long no longer holds time back. 0: never.'),
  arrival: text.optional('Field with the time of arrival, by which the events of a file are played back.', {
    defaultText: 'the order in the file',
  }),
});

const kafka = z.strictObject({
  brokers: brokers.optional('Kafka brokers. Without them stakeout runs on its own embedded log.', {
    env: ['KAFKA_BROKERS'],
    defaultText: 'none: the embedded log',
  }),
  clientId: text.default('stakeout', 'Client id shown in the logs of the brokers.'),
  groupId: text.default('stakeout', 'Consumer group. Instances of one group share the partitions.'),
  transactionalId: text.optional(
    'Name of this instance towards the transaction coordinator, for `delivery: exactly-once`. A name that stays the same over restarts (a pod of a StatefulSet) ends at once what a crashed process left open; no two running instances may share it.',
    { defaultText: 'a new one at every start' },
  ),
  transactionTimeout: duration.default(
    '5s',
    'How long a transaction may stay open before the broker ends it, which by its defaults it looks to every 10 s. What a dead process left open is hidden from readers, and holds up its partitions, until then: a value above 5s has them come later than the session timeout (15 s).',
  ),
  tls: z
    .strictObject({
      enabled: flag.default(false, 'Talk TLS with the brokers.'),
      ca: path.optional('PEM file of the authorities to trust.', { defaultText: 'those of Node.js' }),
      certificate: path.optional('PEM file of our own certificate, for mutual TLS.'),
      key: path.optional('PEM file of our own private key, for mutual TLS.'),
      verify: flag.default(true, 'Refuse a broker whose certificate does not hold. Only switch off to find a fault.'),
    })
    .prefault({}),
  sasl: z
    .strictObject({
      mechanism: choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']).optional('How to log in.', {
        defaultText: 'no login',
      }),
      username: text.optional('User name.'),
      password: text.optional('Password.', { secret: true }),
      oauth: z
        .strictObject({
          tokenUrl: url.optional('OAUTHBEARER: where tokens are given out for client credentials.'),
          clientId: text.optional('OAUTHBEARER: client to ask for a token as.'),
          clientSecret: text.optional('OAUTHBEARER: secret of the client.', { secret: true }),
          scope: text.optional('OAUTHBEARER: scope to ask for.'),
          tokenFile: path.optional(
            'OAUTHBEARER: file with a token that others keep fresh, in place of asking for one.',
          ),
        })
        .prefault({}),
    })
    .prefault({}),
});

const redis = z.strictObject({
  url: redisUrl.optional('Redis to write alerts and risk to.', {
    env: ['REDIS_URL'],
    secret: true,
    defaultText: 'none: no Redis',
  }),
  username: text.optional('User of its ACL, in place of the one in the URL.'),
  password: text.optional('Password of the user.', { secret: true }),
  tls: z
    .strictObject({
      ca: path.optional('rediss://: PEM file of the authorities to trust.', { defaultText: 'those of Node.js' }),
      certificate: path.optional('rediss://: PEM file of our own certificate, for mutual TLS.'),
      key: path.optional('rediss://: PEM file of our own private key, for mutual TLS.'),
      verify: flag.default(true, 'Refuse a Redis whose certificate does not hold. Only switch off to find a fault.'),
    })
    .prefault({}),
  prefix: text.default('stakeout', 'Beginning of every key and channel name.'),
  expiry: duration.default('7d', 'How long the risk of a key is kept after its last alert.'),
  maxAlerts: integer(1, 10_000).default(20, 'Last alerts kept with the risk of one key.'),
  streamLength: integer(1, 100_000_000).default(100_000, 'Length at which the stream of all alerts is capped.'),
  timeout: duration.default('2s', 'How long one command may take.'),
});

const http = z.strictObject({
  host: text.default('127.0.0.1', 'Address to listen at. 0.0.0.0 for every interface, as in a container.'),
  port: integer(0, 65_535).default(8080, 'Port to listen at. 0: any free one.', { env: ['HTTP_PORT', 'PORT'] }),
  bodyLimit: bytes.default('1MiB', 'Largest request body.'),
  rateLimit: integer(0, 100_000_000).default(
    60_000,
    'Requests that one caller (an address, or who has logged in) may send in a minute. 0: any number.',
  ),
  advertise: url.optional(
    'URL at which the other instances reach this one, such as http://10.0.0.7:8080: questions about a key go to the instance that owns it. Absent: they are answered where the key is owned alone.',
  ),
  tls: z
    .strictObject({
      certificate: path.optional(
        'PEM file with our certificate and those between it and its authority: HTTP is HTTPS then. Read again when it changes.',
      ),
      key: path.optional('PEM file with the private key of the certificate.'),
    })
    .prefault({}),
});

const checkpoint = z.strictObject({
  to: choice(['none', 'directory', 's3', 'kafka']).default(
    'none',
    'Where copies of the state are kept, so that another machine can go on with a partition: a folder that all instances see, an S3 bucket, or a compacted Kafka topic.',
  ),
  interval: duration.default('30s', 'What changed is copied this often.'),
  minPause: duration.default(
    '5s',
    'At least so long lies between the end of one checkpoint and the beginning of the next.',
  ),
  timeout: duration.default('2m', 'A checkpoint that takes longer is given up, reported and tried again.'),
  tolerated: integer(0, 1_000_000).default(
    10,
    'So many failed checkpoints of a partition in a row are only reported; after more of them the service counts as degraded. Detection goes on all the same.',
  ),
  restartAfter: integer(0, 1_000_000).default(
    0,
    'After so many failed checkpoints of a partition in a row, the lane that owns it commits and is started again (`restart`), in case that helps. 0: never, as a place that is away is no better for it, and partitions that move meanwhile to an instance without their state wait for it.',
  ),
  retained: integer(1, 1000).default(3, 'Checkpoints kept of each partition; older ones are deleted.'),
  standby: flag.default(
    false,
    'Follow the checkpoints of partitions that other instances own, so that one can be taken over at once. Costs their disk and reads.',
  ),
  directory: path.optional('Folder for `to: directory`.', { defaultText: '`checkpoints` in `data.directory`' }),
  topic: topicName.default('stakeout-checkpoints', 'Topic for `to: kafka`; made compacted where it is not there.'),
  s3: z
    .strictObject({
      bucket: text.optional('Bucket for `to: s3`.'),
      prefix: text.default('stakeout', 'Beginning of all object names.'),
      region: text.default('us-east-1', 'Region of the bucket.'),
      endpoint: url.optional('Another server that speaks S3.', { defaultText: 'AWS' }),
      pathStyle: flag.default(false, 'Name the bucket in the path, as most servers other than AWS want it.'),
      accessKeyId: text.optional('Access key.', {
        defaultText: "the AWS SDK's own search: environment, profile, role",
      }),
      secretAccessKey: text.optional('Secret of the access key.', { secret: true }),
    })
    .prefault({}),
});

/** Everything that can be set. Sections are strict: an unknown key is an error. */
export const settingsSchema = z.strictObject({
  name: text.default('stakeout', 'Name of this installation, in logs, metrics and traces.'),
  patterns: path.default(shippedPatterns, 'Folder of the patterns, one folder each.', {
    defaultText: 'the shipped patterns',
  }),
  templates: path.default(shippedTemplates, 'Folder of the templates that rules are made from, one folder each.', {
    defaultText: 'the shipped templates',
  }),
  streams: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/), streamSchema),
  lists: listsSchema.prefault({}),
  listStore: listStoreSchema.prefault({}),
  database: databaseSchema.prefault({}),
  switches: z
    .strictObject({
      topic: topicName.default(
        'stakeout-switches',
        'Topic that says which streams and sinks are paused, which all instances read.',
      ),
    })
    .prefault({}),
  sources: z
    .strictObject({
      topic: topicName.default(
        'stakeout-sources',
        'Topic of the streams and sinks that were registered, changed and removed while the service ran, which all instances read.',
      ),
      watch: flag.default(
        false,
        'Look at this file every second: streams and sinks that are changed in it are changed while the service runs, as over HTTP.',
      ),
    })
    .prefault({}),
  feeds: z
    .strictObject({
      topic: topicName.default(
        'stakeout-feeds',
        'Topic that says how far tables that are streams were fed into their topics, which all instances read.',
      ),
    })
    .prefault({}),
  kafka: kafka.prefault({}),
  start: startPosition.default(
    'committed',
    'Where to begin in a partition for which the group has committed nothing: earliest (committed means the same), latest, or the first record at a time. A committed offset always comes first.',
  ),
  registry: z
    .strictObject({
      url: url.optional('Schema registry (Confluent’s API).', { env: ['SCHEMA_REGISTRY_URL'], defaultText: 'none' }),
      username: text.optional('User name for basic authentication.'),
      password: text.optional('Password for basic authentication.', { secret: true }),
      timeout: duration.default('5s', 'How long one request may take before it is tried again.'),
    })
    .prefault({}),
  rules: z
    .strictObject({
      topic: topicName.default(
        'stakeout-rules',
        'Topic of the rule sets that were published (`stakeout apply`, `POST /v1/rules/apply`), which all instances read. Once there is one, it runs instead of those in `patterns`, at every start.',
      ),
      watch: flag.default(false, 'Publish the rules in `patterns` whenever one of them changes.'),
      approval: flag.default(
        false,
        'A rule set that was published waits until someone else than its author approves it.',
      ),
    })
    .prefault({}),
  alerts: z
    .strictObject({
      topic: topicName.default('alerts', 'Topic for alerts.'),
      shadowTopic: topicName.default(
        'alerts-shadow',
        'Topic for alerts of patterns whose status is shadow. No sink, handler or view reads it.',
      ),
      partitions: partitionCount.default(4, 'Partitions of the topic, where it has to be made.'),
    })
    .prefault({}),
  alertStore: z
    .strictObject({
      retention: duration.default('90d', 'How long alerts are kept to be asked for, with what people said of them.'),
      url: text.optional(
        'PostgreSQL that keeps alerts, what people say of them, and the audit trail, for all instances: `postgres://user:password@host/database`. Absent: a file in `data.directory`, of this instance alone.',
        { secret: true, defaultText: 'none: a SQLite file' },
      ),
      alertsMax: integer(1, 1_000_000_000).default(1_000_000, 'And so many at most: the oldest go.'),
    })
    .prefault({}),
  nearMisses: z
    .strictObject({
      topic: topicName.default(
        'near-misses',
        'Topic for partial matches that ended one step short, of patterns that tell them.',
      ),
    })
    .prefault({}),
  deadLetters: z
    .strictObject({ topic: topicName.default('dead-letters', 'Topic for records that cannot be read.') })
    .prefault({}),
  late: z
    .strictObject({ topic: topicName.default('late', 'Topic for events that came too late to be taken.') })
    .prefault({}),
  redis: redis.prefault({}),
  sinks: sinksSchema.prefault({}),
  http: http.prefault({}),
  access: accessSchema.prefault({}),
  data: z
    .strictObject({
      directory: path.default('.stakeout', 'Folder for state and the embedded log. One process at a time.', {
        defaultText: '.stakeout in the current folder',
      }),
    })
    .prefault({}),
  state: z
    .strictObject({
      store: choice(['rocksdb', 'memory']).default(
        'rocksdb',
        'Where state is kept between starts. memory: nowhere; a start replays what the patterns need.',
      ),
      whenDamaged: choice(['refuse', 'rebuild']).default(
        'refuse',
        'What to do with a state folder that is damaged. refuse: the start says so, and what to do. rebuild: it is put aside, and the state comes from a checkpoint or a replay.',
      ),
      readAhead: bytes.default(
        '512MiB',
        'Memory for state that a start reads while it waits for its partitions, which the brokers give out only when those who had them have been silent for the session timeout. State that is not here comes from the newest checkpoint. A standby keeps the state that it follows in this memory. 0B: none is read.',
      ),
    })
    .prefault({}),
  engine: z
    .strictObject({
      runsMax: integer(1, 10_000_000).default(
        10_000,
        'Partial matches of one pattern for one key, at most; where partial matches share a graph, events in it.',
      ),
      overflow: choice(['dropOldest', 'dropNewest', 'restart', 'quarantine']).default(
        'dropOldest',
        'What a pattern gives up at that limit: partial matches that began first, what the event would have added, or all. A shared graph gives up the oldest. quarantine: a pattern that reaches any limit is stopped. A rule can say otherwise (`limits`).',
      ),
      eventsMax: integer(1, 100_000_000).default(
        100_000,
        'Events that the partial matches of one pattern hold for one key, or values that its windows keep, at most, about: it is looked at now and then. Beyond it they are given up.',
      ),
      matchesMax: integer(1, 10_000_000).default(
        10_000,
        'Matches that are written out of those that one event completes, where partial matches share a graph. The oldest come first.',
      ),
      quantifierGap: choice(['flink', 'every']).default(
        'flink',
        'What the longest wait of a quantifier bounds. flink: the wait for each occurrence but the last possible one, and in a loop for the mandatory ones. every: the wait for every occurrence after the first.',
      ),
      windowsMemory: bytes.optional(
        'Memory for the windows of features in each lane. Those of keys that were not seen for long then go to a file in the folder of the data, and come back with the next event of the key, for some microseconds.',
        { defaultText: 'no bound' },
      ),
      hotKeysMax: integer(1, 100_000_000).default(
        16_384,
        'Keys whose state is kept ready for use, in each partition and for each key field of the patterns; one with many runs counts as so many keys. The state of others is kept as bytes: less memory and no long pauses, but some microseconds when an event changes it.',
      ),
    })
    .prefault({}),
  lanes: autoOr(0, 64).default(
    'auto',
    'Worker threads that detect, each a member of the consumer group with partitions of its own. auto: one for each core on Kafka, at most one for each partition. 0: in the main thread, as always on the embedded log.',
  ),
  restart: z
    .strictObject({
      strategy: choice(['exponential', 'fixed']).default(
        'exponential',
        'How long a lane that ended waits before it is started again. fixed: `delay`, each time. exponential: `delay`, and twice as long with each end within `window`, up to `delayMax`.',
      ),
      delay: duration.default('1s', 'Before the first restart, or before each.'),
      delayMax: duration.default('30s', 'Longest wait, for `strategy: exponential`.'),
      attempts: integer(0, 1000).default(
        5,
        'Restarts of one lane within `window`. When it ends once more, the process counts as failed: `/health/live` says so, and whoever watches it replaces it. 0: a lane is never started again.',
      ),
      window: duration.default('10m', 'Ends that lie longer back are forgiven.'),
    })
    .prefault({}),
  delivery: choice(['exactly-once', 'at-least-once']).default(
    'exactly-once',
    'exactly-once: alerts are readable when the transaction that holds them and their offsets is committed. at-least-once: alerts are readable as soon as they are found; after a crash some may be there twice, under the same id.',
  ),
  commit: z
    .strictObject({
      interval: duration.default('100ms', 'Alerts and offsets are committed at least this often.'),
      records: integer(1, 10_000_000).default(5000, 'Or after so many records, if that is sooner.'),
    })
    .prefault({}),
  snapshot: z
    .strictObject({
      interval: duration.default('5s', 'Changed state is written to disk this often.'),
      bytes: bytes.default('64MiB', 'Or after so many changed bytes, if that is sooner.'),
    })
    .prefault({}),
  checkpoint: checkpoint.prefault({}),
  journal: z
    .strictObject({
      topic: topicName.default(
        'stakeout-journal',
        'Topic for what decides results beside the records: which rules took effect where, and how the clock of an idle partition was moved.',
      ),
    })
    .prefault({}),
  backtest: backtestSchema.prefault({}),
  backtests: z
    .strictObject({
      queue: integer(1, 1000).default(20, 'Back-tests asked for over HTTP that may wait; one runs at a time.'),
      kept: integer(1, 10_000).default(50, 'Back-tests that have ended whose results are kept.'),
      lanes: autoOr(1, 16).default(
        'auto',
        'Threads of one. auto: as `stakeout backtest` has it, but for half of the cores at most.',
      ),
      memory: bytes.default('1GiB', 'Heap of each of its threads, at most. One that needs more fails.'),
      checkpointInterval: duration.default(
        '30s',
        'A back-test keeps what it has come to this often, and goes on from there after a restart of the service.',
      ),
      niceness: integer(0, 19).default(19, 'How far it stands back behind the service: 0 not at all, 19 the most.'),
    })
    .prefault({}),
  retention: duration.default('7d', 'How long the embedded log keeps records.'),
  demo: z
    .strictObject({
      enabled: flag.optional('Make up a stream of transactions with fraud in it.', {
        defaultText: 'true without Kafka, false with it',
      }),
      rate: decimal(0.1, 100_000).default(50, 'Transactions a second.'),
      seed: integer(0, 4_294_967_295).default(1, 'The same seed makes the same transactions.'),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      otlpUrl: url.optional('OpenTelemetry collector (OTLP over HTTP) for traces, without /v1/traces.', {
        env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
        defaultText: 'none: no traces',
      }),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default(
        'info',
        'Least level that is logged.',
        {
          env: ['LOG_LEVEL'],
        },
      ),
      format: choice(['pretty', 'json']).optional('For people, or one JSON object a line.', {
        defaultText: 'pretty in a terminal, else json',
      }),
    })
    .prefault({}),
});

export type SettingsInput = z.input<typeof settingsSchema>;
export type ParsedSettings = z.output<typeof settingsSchema>;
export type ParsedStream = z.output<typeof streamSchema>;

/** What `streams` is when the file names none. */
export const defaultStreams: Readonly<Record<string, z.input<typeof streamSchema>>> = {
  transactions: {
    topic: 'transactions',
    schema: shippedSchema,
    key: 'accountId',
    time: 'eventTime',
    id: 'transactionId',
    type: 'type',
    outOfOrderness: '2s',
  },
};
