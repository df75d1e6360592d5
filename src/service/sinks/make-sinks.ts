import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { ClaimingStore } from '../../runtime/ports/object-store.js';
import { readTlsFiles, type Settings, type SinkSettings } from '../../runtime/settings/index.js';
import type { AlertSink, CollectingSink } from '../../runtime/sinks/alert-sink.js';

type AnySink = AlertSink | CollectingSink;

/** The sinks that `sinks` names. Nothing is connected yet. Throws where a file with a certificate cannot be read. */
export async function makeSinks(settings: Settings, clock: Clock): Promise<readonly AnySink[]> {
  const entries = Object.entries(settings.sinks);
  return Promise.all(entries.map(([name, sink]) => makeSink(name, sink, clock)));
}

/** Nothing is connected yet. Each connector is loaded only where it is used. */
export async function makeSink(name: string, sink: SinkSettings, clock: Clock): Promise<AnySink> {
  switch (sink.type!) {
    case 'redis': {
      const { RedisSink } = await import('../../connectors/redis/redis-sink.js');
      return new RedisSink({ name, url: sink.url!, clock, prefix: name, timeoutMs: sink.timeout });
    }
    case 'postgres':
    case 'mysql':
      return sqlSink(name, sink);
    case 'elasticsearch':
      return elasticsearchSink(name, sink, clock);
    case 'webhook':
      return webhookSink(name, sink, clock);
    case 'kafka':
      return kafkaSink(name, sink, clock);
    case 'parquet':
      return parquetSink(name, sink, clock);
  }
}

async function sqlSink(name: string, sink: SinkSettings): Promise<AlertSink> {
  const { openDatabase } = await import('../../connectors/sql/open-database.js');
  const { SqlSink } = await import('../../connectors/sql/sql-sink.js');
  const tls = sink.tls.enabled ? { tls: tlsOf(name, sink) } : {};
  const database = await openDatabase({ url: sink.url!, timeoutMs: sink.timeout, ...tls });
  return new SqlSink({ name, database, table: sink.table, create: sink.create, batch: sink.batch });
}

async function elasticsearchSink(name: string, sink: SinkSettings, clock: Clock): Promise<AlertSink> {
  const { ElasticsearchSink } = await import('../../connectors/elasticsearch/elasticsearch-sink.js');
  const { urls = [], username, password, apiKey, index, rollover, create, shards, replicas, batch } = sink;
  const basic =
    username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
  const authorization = apiKey === undefined ? basic : `ApiKey ${apiKey}`;
  return new ElasticsearchSink({
    ...{ name, client: await httpClient(name, sink, clock), urls, index, rollover, create, shards, replicas, batch },
    ...(authorization === undefined ? {} : { authorization }),
  });
}

async function webhookSink(name: string, sink: SinkSettings, clock: Clock): Promise<AlertSink> {
  const { WebhookSink } = await import('../../connectors/webhook/webhook-sink.js');
  const { url, secret, authorization, concurrency } = sink;
  return new WebhookSink({
    ...{ name, client: await httpClient(name, sink, clock), clock, url: url!, secret, authorization, concurrency },
  });
}

async function kafkaSink(name: string, sink: SinkSettings, clock: Clock): Promise<AlertSink> {
  const { KafkaLog } = await import('../../connectors/kafka/kafka-log.js');
  const { KafkaSink } = await import('../../connectors/kafka/kafka-sink.js');
  const { brokers = [], mechanism, username = '', password = '', topic, partitions, create, format } = sink;
  const { ca, certificate: cert, key, verify: rejectUnauthorized } = tlsOf(name, sink);
  const log = new KafkaLog({
    ...{ brokers, clientId: `stakeout-${name}` },
    ...(sink.tls.enabled ? { tls: { ca, cert, key, rejectUnauthorized } } : {}),
    ...(mechanism === undefined ? {} : { sasl: { mechanism, username, password } }),
  });
  const encode = format === 'avro' ? await avroEncoder() : (alert: Alert) => utf8.encode(JSON.stringify(alert));
  const { timeout: timeoutMs } = sink;
  return new KafkaSink({
    ...{ name, log, clock, address: brokers.join(','), topic: topic!, partitions, create, encode, timeoutMs },
  });
}

async function parquetSink(name: string, sink: SinkSettings, clock: Clock): Promise<CollectingSink> {
  const { ParquetSink } = await import('../../connectors/parquet/parquet-sink.js');
  return new ParquetSink({ name, open: () => tableStore(name, sink), clock, everyMs: sink.every, rows: sink.rows });
}

async function tableStore(name: string, { directory, s3 }: SinkSettings): Promise<ClaimingStore> {
  if (directory !== undefined) {
    const { DirectoryObjectStore } = await import('../../connectors/file/directory-object-store.js');
    // Readers of tables pass over what begins with an underscore.
    return DirectoryObjectStore.open({ directory, unfinished: '_unfinished' });
  }
  const { S3ObjectStore } = await import('../../connectors/s3/s3-object-store.js');
  return new S3ObjectStore({ ...s3, bucket: s3.bucket!, setting: `sinks.${name}.s3` });
}

async function avroEncoder(): Promise<(alert: Alert) => Uint8Array> {
  const { AlertCodec } = await import('../../connectors/avro/alert-codec.js');
  const codec = new AlertCodec();
  return (alert) => codec.encode(alert);
}

async function httpClient(name: string, sink: SinkSettings, clock: Clock) {
  const { HttpClient } = await import('../../connectors/http/http-client.js');
  return new HttpClient({ clock, timeoutMs: sink.timeout, tls: tlsOf(name, sink) });
}

const utf8 = new TextEncoder();

function tlsOf(name: string, { tls }: SinkSettings) {
  const { ca, certificate, key } = readTlsFiles(tls, `sinks.${name}.tls`);
  return { ca: ca?.toString(), certificate: certificate?.toString(), key: key?.toString(), verify: tls.verify };
}
